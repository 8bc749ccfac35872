using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>Sockets around descriptors that came from elsewhere.</summary>
public sealed class AdoptTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void AdoptSocket_Connected_KnowsBothEndsAndMovesBytes(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        pair.Near.Blocking = true;
        using IIoDriver driver = IoDriverFactory.Create(which);
        using RawSocket adopted = driver.AdoptSocket(pair.Near.SafeHandle.DangerousGetHandle(), ownsDescriptor: false);
        Assert.Equal(AddressFamily.InterNetwork, adopted.Family);
        Assert.Equal(pair.Far.RemoteEndPoint, adopted.LocalEndPoint);
        Assert.Equal(pair.Far.LocalEndPoint, adopted.RemoteEndPoint);
        Assert.True(adopted.Receive(new byte[4]).IsPending);
        Assert.Equal(2, adopted.Send([new byte[] { 1, 2 }]).Count);
        Assert.Equal(2, pair.Far.Receive(new byte[4]));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void AdoptSocket_Listening_Accepts(LoopDriver which)
    {
        using var inherited = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        inherited.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        inherited.Listen();
        using IIoDriver driver = IoDriverFactory.Create(which);
        RawSocket adopted = driver.AdoptSocket(inherited.SafeHandle.DangerousGetHandle(), ownsDescriptor: false);
        IListenChannel listener = driver.OpenListener(adopted);
        Assert.Equal(inherited.LocalEndPoint, listener.LocalEndPoint);
        var owner = new RecordingOwner();
        listener.Start(owner);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(inherited.LocalEndPoint!);
        driver.PumpUntil(() => owner.Acceptable > 0, "a connection");
        Assert.True(listener.Accept(out RawSocket? accepted).IsOk);
        accepted!.Dispose();
        listener.Close();
        using var second = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        second.Connect(inherited.LocalEndPoint!); // it was only lent
    }

    // Who keeps the descriptor after a failure must be beyond doubt: an owner that closes it a second time closes somebody else's.
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void AdoptSocket_NotASocket_ThrowsAndLeavesItToTheCaller(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        using SafeFileHandle file = File.OpenHandle(typeof(AdoptTests).Assembly.Location);
        SocketException e = Assert.Throws<SocketException>(() => driver.AdoptSocket(file.DangerousGetHandle(), ownsDescriptor: true));
        Assert.Equal(SocketError.NotSocket, e.SocketErrorCode);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.NotEqual(0, RandomAccess.Read(file, new byte[8], 0));
    }
}
