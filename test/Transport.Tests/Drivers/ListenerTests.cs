using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>Listening channels.</summary>
public sealed class ListenerTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Accept_SeveralWaiting_TakesAllThenPending(LoopDriver which, string address)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        (IListenChannel listener, RecordingOwner owner) = Listen(driver, DriverCases.NewEndPoint(address));
        var clients = new List<Socket>();
        for (int round = 1; round <= 2; round++)
        {
            int seen = owner.Acceptable;
            for (int i = 0; i < 3; i++)
            {
                clients.Add(SocketPair.NewSocket(listener.LocalEndPoint!));
                clients[^1].Connect(listener.LocalEndPoint!);
            }

            driver.PumpUntil(() => owner.Acceptable > seen, "a connection");
            for (int i = 0; i < 3; i++)
            {
                RawSocket? accepted = null;
                driver.PumpUntil(() => listener.Accept(out accepted).IsOk, "the next"); // a handshake may end later than the client knows of it
                using (accepted)
                {
                    Assert.Equal(listener.LocalEndPoint, accepted!.LocalEndPoint);
                    Assert.NotNull(accepted.RemoteEndPoint);
                    Assert.Equal(clients[^(3 - i)].LocalEndPoint?.ToString(), accepted.RemoteEndPoint.ToString());
                    Assert.Equal(1, accepted.Send([new byte[] { 5 }]).Count);
                }
            }

            Assert.True(listener.Accept(out RawSocket? none).IsPending);
            Assert.Null(none);
        }

        listener.Close();
        listener.Close();
        clients.ForEach(static client => client.Dispose());
        DeleteSocketFile(listener.LocalEndPoint);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Accept_OnAnyAddress_KnowsTheConcreteOne(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        (IListenChannel listener, RecordingOwner owner) = Listen(driver, new IPEndPoint(IPAddress.Any, 0));
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(IPAddress.Loopback, port);
        driver.PumpUntil(() => owner.Acceptable > 0, "the connection");
        Assert.True(listener.Accept(out RawSocket? accepted).IsOk);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, port), accepted!.LocalEndPoint);
        accepted.Dispose();
        listener.Close();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Accept_NotCalled_DoesNotSpin(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        (IListenChannel listener, RecordingOwner owner) = Listen(driver, new IPEndPoint(IPAddress.Loopback, 0));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        driver.PumpUntil(() => owner.Acceptable > 0, "the connection");
        Assert.Equal(0, driver.CountBusyWaits(10));
        listener.Close();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Bind_AddressInUse_IsThatError(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        (IListenChannel listener, _) = Listen(driver, new IPEndPoint(IPAddress.Loopback, 0));
        using RawSocket second = driver.CreateSocket(AddressFamily.InterNetwork);
        Assert.Equal(SocketError.AddressAlreadyInUse, second.Bind(listener.LocalEndPoint!));
        listener.Close();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void SetReusePort_OnBoth_SharesThePort(LoopDriver which)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SO_REUSEPORT");
        using IIoDriver driver = IoDriverFactory.Create(which);
        using RawSocket first = driver.CreateSocket(AddressFamily.InterNetwork);
        using RawSocket second = driver.CreateSocket(AddressFamily.InterNetwork);
        Assert.Equal(SocketError.Success, first.SetReusePort());
        Assert.Equal(SocketError.Success, second.SetReusePort());
        Assert.Equal(SocketError.Success, first.Bind(new IPEndPoint(IPAddress.Loopback, 0)));
        Assert.Equal(SocketError.Success, first.Listen(16));
        Assert.Equal(SocketError.Success, second.Bind(first.LocalEndPoint!));
        Assert.Equal(SocketError.Success, second.Listen(16));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void SetDualMode_Ipv6Any_TakesIpv4Too(LoopDriver which)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "this machine has no IPv6");
        using IIoDriver driver = IoDriverFactory.Create(which);
        RawSocket socket = driver.CreateSocket(AddressFamily.InterNetworkV6);
        socket.SetDualMode(true);
        Assert.Equal(SocketError.Success, socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0)));
        Assert.Equal(SocketError.Success, socket.Listen(16));
        IListenChannel listener = driver.OpenListener(socket);
        var owner = new RecordingOwner();
        listener.Start(owner);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(IPAddress.Loopback, ((IPEndPoint)socket.LocalEndPoint!).Port);
        driver.PumpUntil(() => owner.Acceptable > 0, "the IPv4 connection");
        Assert.True(listener.Accept(out RawSocket? accepted).IsOk);
        Assert.Equal(IPAddress.Loopback.MapToIPv6(), ((IPEndPoint)accepted!.RemoteEndPoint!).Address);
        accepted.Dispose();
        listener.Close();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Accept_AfterClose_TakesNothingFromTheNumbersNextOwner(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        (IListenChannel closed, _) = Listen(driver, new IPEndPoint(IPAddress.Loopback, 0));
        closed.Close();
        using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        next.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        next.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(next.LocalEndPoint!);
        Assert.True(closed.Accept(out RawSocket? accepted).IsError);
        Assert.Null(accepted);
    }

    private static (IListenChannel Listener, RecordingOwner Owner) Listen(IIoDriver driver, EndPoint endPoint)
    {
        RawSocket socket = driver.CreateSocket(endPoint.AddressFamily);
        Assert.Equal(SocketError.Success, socket.Bind(endPoint));
        Assert.Equal(SocketError.Success, socket.Listen(16));
        IListenChannel listener = driver.OpenListener(socket);
        var owner = new RecordingOwner();
        listener.Start(owner);
        Assert.True(listener.Accept(out _).IsPending);
        return (listener, owner);
    }

    private static void DeleteSocketFile(EndPoint? endPoint)
    {
        if (endPoint is UnixDomainSocketEndPoint && endPoint.ToString() is { } path && path.StartsWith('/'))
        {
            File.Delete(path);
        }
    }
}
