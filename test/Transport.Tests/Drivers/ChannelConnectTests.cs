using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>How a channel comes to be connected, or does not.</summary>
public sealed class ChannelConnectTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Connect_Success_KnowsBothEnds(LoopDriver which, string address)
    {
        using ChannelPair pair = ChannelPair.Connect(which, address);
        Assert.Equal(pair.Far.LocalEndPoint, pair.Near.RemoteEndPoint);
        Assert.NotNull(pair.Near.LocalEndPoint);
        if (pair.Far.RemoteEndPoint is IPEndPoint remote)
        {
            Assert.Equal(remote, pair.Near.LocalEndPoint);
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Connect_NobodyListens_Fails(LoopDriver which, string address)
    {
        EndPoint endPoint = DriverCases.NewEndPoint(address);
        using Socket bound = SocketPair.NewSocket(endPoint);
        bound.Bind(endPoint);
        using IIoDriver driver = IoDriverFactory.Create(which);
        IStreamChannel channel = driver.OpenStream(driver.CreateSocket(endPoint.AddressFamily));
        var owner = new RecordingOwner();
        IoResult result = channel.Connect(bound.LocalEndPoint!);
        if (result.IsPending)
        {
            channel.Start(owner);
            driver.PumpUntil(() => owner.Connected is not null, "the refusal");
            Assert.Equal(SocketError.ConnectionRefused, owner.Connected);
            Assert.Equal(0, owner.Receivable);
        }
        else
        {
            Assert.Equal(SocketError.ConnectionRefused, result.Error);
        }

        Assert.Equal(0, driver.CountBusyWaits(3));
        channel.Close(reset: false);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Connect_NoSuchPath_Fails(LoopDriver which)
    {
        EndPoint endPoint = DriverCases.NewEndPoint("unix");
        using IIoDriver driver = IoDriverFactory.Create(which);
        IStreamChannel channel = driver.OpenStream(driver.CreateSocket(AddressFamily.Unix));
        Assert.Equal(SocketError.AddressNotAvailable, channel.Connect(endPoint).Error);
        channel.Close(reset: false);
    }

    // connect(2), EAGAIN: unlike TCP's EINPROGRESS it promises nothing to come, so waiting for it would never end (or end as a false
    // success).
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Connect_UnixQueueFull_FailsInsteadOfPending(LoopDriver which)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "how a full queue shows differs between kernels");
        EndPoint endPoint = DriverCases.NewEndPoint("abstract");
        using Socket listener = SocketPair.NewSocket(endPoint);
        listener.Bind(endPoint);
        listener.Listen(1);
        using IIoDriver driver = IoDriverFactory.Create(which);
        var channels = new List<IStreamChannel>();
        IoResult result;
        do
        {
            channels.Add(driver.OpenStream(driver.CreateSocket(AddressFamily.Unix)));
            result = channels[^1].Connect(endPoint);
        }
        while (result.IsOk && channels.Count < 10);

        Assert.True(result.IsError);
        channels.ForEach(static channel => channel.Close(reset: false));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Start_ConnectEndedBefore_StillTells(LoopDriver which)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using IIoDriver driver = IoDriverFactory.Create(which);
        IStreamChannel channel = driver.OpenStream(driver.CreateSocket(AddressFamily.InterNetwork));
        IoResult result = channel.Connect(listener.LocalEndPoint!);
        using Socket far = listener.Accept();
        far.Send((ReadOnlySpan<byte>)[1]);
        var owner = new RecordingOwner();
        channel.Start(owner);
        driver.PumpUntil(() => owner.Receivable > 0, "the data behind the connect");
        Assert.Equal(result.IsPending ? SocketError.Success : null, owner.Connected);
        Assert.Equal(1, channel.Receive(new byte[4]).Count);
        channel.Close(reset: false);
    }
}
