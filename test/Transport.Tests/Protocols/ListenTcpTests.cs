using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

public sealed class ListenTcpTests : ProtocolTest
{
    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-01")]
    [Contract("R-TCPP-02")]
    [Contract("R-TCPP-08")]
    [Contract("R-TCPP-27")]
    public async Task Host_PortZero_TheRealOne_AndLogged(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        IListeningPort port = host.Listen(() => null);
        int number = ((IPEndPoint)port.Host).Port;
        Assert.NotEqual(0, number);

        await host.On(() => { });
        await port.StopListeningAsync().WithDeadline();

        Assert.Contains($":{number}", Assert.Single(host.Log.Named("ListeningStarted")).Message, StringComparison.Ordinal);
        Assert.Contains($":{number}", Assert.Single(host.Log.Named("ListeningStopped")).Message, StringComparison.Ordinal);
        Assert.Contains($":{number}", port.ToString(), StringComparison.Ordinal);
        Assert.Equal(number, ((IPEndPoint)port.Host).Port);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-09")]
    public async Task BuildProtocol_GetsThePeer_OnTheLoop(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        EndPoint? seen = null;
        bool onLoop = false;
        var protocol = new TestProtocol();
        var factory = ProtocolFactory.Create(peer =>
        {
            seen = peer;
            onLoop = host.Loop.IsOnLoopThread;
            return protocol;
        });
        await using IListeningPort port = host.Reactor.ListenTcp(ReactorHost.Loopback(), factory, host.Options);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();

        Assert.Equal(peer.Socket.LocalEndPoint, seen);
        Assert.True(onLoop);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-25")]
    public async Task BuildProtocol_NullOrThrowing_ClosesThatOneOnly(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var bug = new InvalidTimeZoneException("bug");
        var good = new TestProtocol();
        int calls = 0;
        await using IListeningPort port = host.Listen(() => ++calls switch
        {
            1 => null,
            2 => throw bug,
            _ => good,
        });
        using Peer refused = await Peer.ConnectAsync(port);
        Assert.Empty(await refused.ReadToEndAsync());
        using Peer failed = await Peer.ConnectAsync(port);
        Assert.Empty(await failed.ReadToEndAsync());
        using Peer served = await Peer.ConnectAsync(port);
        await good.Made.WithDeadline();

        Assert.Same(bug, Assert.Single(host.Log.Errors).Exception);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-17")]
    [Contract("R-TCPP-18")]
    [Contract("R-TCPP-21")]
    [Contract("R-TCPP-26")]
    public async Task StopListening_ConnectionsStay_PortIsFree(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol();
        IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        Task stopped = port.StopListeningAsync();
        Assert.Same(stopped, port.StopListeningAsync());
        await stopped.WithDeadline();

        await Assert.ThrowsAsync<SocketException>(() => Peer.ConnectAsync(port));
        await peer.SendAsync("x"u8.ToArray());
        await protocol.WaitForBytes(1).WithDeadline();
        peer.Dispose();
        await protocol.Lost.WithDeadline();
        await using IListeningPort again = host.Reactor.ListenTcp((IPEndPoint)port.Host, ProtocolFactory.Create(() => null), host.Options);
        Assert.Equal(port.Host, again.Host);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-22")]
    public async Task ListenTcp_TakenPort_ThrowsAtOnceWithTheAddress(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        await using IListeningPort port = host.Listen(() => null);
        var factory = new CountingFactory();

        CannotListenException e = Assert.Throws<CannotListenException>(
            () => host.Reactor.ListenTcp((IPEndPoint)port.Host, factory, host.Options));

        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        Assert.Equal(port.Host, e.EndPoint);
        Assert.Empty(factory.Calls);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-23")]
    [Contract("R-PROTO-16")]
    public async Task Factory_OnTwoPorts_StartedAndStoppedOnce(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var factory = new CountingFactory();
        IListeningPort first = host.Reactor.ListenTcp(ReactorHost.Loopback(), factory, host.Options);
        IListeningPort second = host.Reactor.ListenTcp(ReactorHost.Loopback(), factory, host.Options);
        await first.StopListeningAsync().WithDeadline();
        Assert.Equal(["start"], factory.Calls);
        await second.StopListeningAsync().WithDeadline();
        factory.DoStop();

        Assert.Equal(["start", "stop"], factory.Calls);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-19")]
    public async Task StopListening_FactoryThrows_TaskFailsAndPortIsClosed(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var factory = new CountingFactory { Bug = new InvalidTimeZoneException("bug") };
        IListeningPort port = host.Reactor.ListenTcp(ReactorHost.Loopback(), factory, host.Options);

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => port.StopListeningAsync().WithDeadline());

        await using IListeningPort again = host.Reactor.ListenTcp((IPEndPoint)port.Host, ProtocolFactory.Create(() => null), host.Options);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPP-24")]
    public async Task StopListening_FromBuildProtocol_ConnectionInHandIsServed(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var protocol = new TestProtocol { OnData = (p, data) => p.Transport.Write(data) };
        IListeningPort? port = null;
        Task? stopped = null;
        port = host.Listen(() =>
        {
            stopped = port!.StopListeningAsync();
            return protocol;
        });
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("ping"u8.ToArray());

        Assert.Equal("ping"u8.ToArray(), await peer.ReadAsync(4));
        await stopped!.WithDeadline();
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task Protocol_UsesItsReactor_CallLaterCallFromThreadAndListen(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var inner = new TestProtocol { OnMade = p => p.Transport.Write("inner"u8) };
        IListeningPort? second = null;
        var protocol = new TestProtocol
        {
            OnMade = p =>
            {
                second = p.Transport.Reactor.ListenTcp(ReactorHost.Loopback(), ProtocolFactory.Create(() => inner), host.Options);
                p.Transport.Reactor.CallLater(TimeSpan.FromMilliseconds(1), () => p.Transport.Write("later "u8));
            },
        };
        await using IListeningPort port = host.Listen(() => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        Assert.Equal("later "u8.ToArray(), await peer.ReadAsync(6));
        protocol.Transport.Reactor.CallFromThread(() => protocol.Transport.Write("thread"u8));
        Assert.Equal("thread"u8.ToArray(), await peer.ReadAsync(6));
        using Peer other = await Peer.ConnectAsync(second!);
        Assert.Equal("inner"u8.ToArray(), await other.ReadAsync(5));
    }

    private sealed class CountingFactory : ProtocolFactory
    {
        internal List<string> Calls { get; } = [];

        internal Exception? Bug { get; init; }

        public override Protocol? BuildProtocol(EndPoint? peer) => null;

        protected override void StartFactory() => Calls.Add("start");

        protected override void StopFactory()
        {
            Calls.Add("stop");
            if (Bug is not null)
            {
                throw Bug;
            }
        }
    }
}
