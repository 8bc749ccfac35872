using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

public sealed class ListenTcpTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPP-01"), Contract("R-TCPP-02"), Contract("R-TCPP-27")]
    public async Task Host_PortZero_TheRealOne_AndLogged(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IListeningPort port = thread.Reactor.ListenTcp(Loopback(), new CountingFactory(), Options);
        int number = ((IPEndPoint)port.Host).Port;
        Assert.NotEqual(0, number);

        await thread.Turn();
        await port.StopListeningAsync().WithDeadline();

        Assert.Equal($"{typeof(CountingFactory)} on {port.Host}", port.ToString());
        foreach (string line in new[] { "ListeningStarted", "ListeningStopped" })
        {
            string message = Assert.Single(Logged(line)).Message;
            Assert.Contains($"{typeof(CountingFactory)}", message, StringComparison.Ordinal);
            Assert.Contains($":{number}", message, StringComparison.Ordinal);
        }

        Assert.Equal(number, ((IPEndPoint)port.Host).Port);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-25")]
    public async Task BuildProtocol_NullOrThrowing_ClosesThatOneOnly(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var bug = new InvalidTimeZoneException("bug");
        var good = new TestProtocol();
        int calls = 0;
        await using IListeningPort port = Listen(thread, () => ++calls switch
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

        Assert.Same(bug, Assert.Single(TakeErrors()));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-17"), Contract("R-TCPP-18"), Contract("R-TCPP-21"), Contract("R-TCPP-26")]
    public async Task StopListening_ConnectionsStay_PortIsFree(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        Task stopped = await thread.Ask(() =>
        {
            Task stopping = port.StopListeningAsync();
            Assert.Same(stopping, port.StopListeningAsync());
            Assert.False(stopping.IsCompleted); // in a later turn
            return stopping;
        });
        await stopped.WithDeadline();

        await Assert.ThrowsAsync<SocketException>(() => Peer.ConnectAsync(port));
        await peer.SendAsync("x"u8.ToArray());
        await protocol.WaitForBytes(1).WithDeadline();
        peer.Dispose();
        await protocol.Lost.WithDeadline();
        await using IListeningPort again = thread.Reactor.ListenTcp((IPEndPoint)port.Host, ProtocolFactory.Create(() => null), Options);
        Assert.Equal(port.Host, again.Host);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-22")]
    public async Task ListenTcp_TakenPort_ThrowsAtOnceWithTheAddress(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await using IListeningPort port = Listen(thread, () => null);
        var factory = new CountingFactory();

        CannotListenException e = Assert.Throws<CannotListenException>(
            () => thread.Reactor.ListenTcp((IPEndPoint)port.Host, factory, Options));

        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        Assert.Equal(port.Host, e.EndPoint);
        Assert.Empty(factory.Calls);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-23"), Contract("R-PROTO-16")]
    public async Task Factory_OnTwoPorts_StartedAndStoppedOnce(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var factory = new CountingFactory();
        IListeningPort first = thread.Reactor.ListenTcp(Loopback(), factory, Options);
        IListeningPort second = thread.Reactor.ListenTcp(Loopback(), factory, Options);
        await first.StopListeningAsync().WithDeadline();
        Assert.Equal(["start"], factory.Calls);
        await second.StopListeningAsync().WithDeadline();
        factory.DoStop();

        Assert.Equal(["start", "stop"], factory.Calls);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-19")]
    public async Task StopListening_FactoryThrows_TaskFailsAndPortIsClosed(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var factory = new CountingFactory { Bug = new InvalidTimeZoneException("bug") };
        IListeningPort port = thread.Reactor.ListenTcp(Loopback(), factory, Options);

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => port.StopListeningAsync().WithDeadline());

        await using IListeningPort again = thread.Reactor.ListenTcp((IPEndPoint)port.Host, ProtocolFactory.Create(() => null), Options);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-24")]
    public async Task StopListening_FromBuildProtocol_ConnectionInHandIsServed(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol { OnData = (p, data) => p.Transport.Write(data) };
        IListeningPort? port = null;
        Task? stopped = null;
        port = Listen(thread, () =>
        {
            stopped = port!.StopListeningAsync();
            return protocol;
        });
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("ping"u8.ToArray());

        Assert.Equal("ping"u8.ToArray(), await peer.ReadAsync(4));
        await stopped!.WithDeadline();
        await Assert.ThrowsAsync<SocketException>(() => Peer.ConnectAsync(port));
    }

    [Theory, ReactorStacks]
    public async Task Protocol_UsesItsReactor_CallLaterCallFromThreadAndListen(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var inner = new TestProtocol { OnMade = p => p.Transport.Write("inner"u8) };
        IListeningPort? second = null;
        var protocol = new TestProtocol
        {
            OnMade = p =>
            {
                second = p.Transport.Reactor.ListenTcp(Loopback(), ProtocolFactory.Create(() => inner), Options);
                p.Transport.Reactor.CallLater(TimeSpan.FromMilliseconds(1), () => p.Transport.Write("later "u8));
            },
        };
        await using IListeningPort port = Listen(thread, () => protocol);
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
