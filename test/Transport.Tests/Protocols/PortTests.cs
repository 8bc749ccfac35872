using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Ports that start again or close at once, and sockets that somebody else opened.</summary>
public sealed class PortTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPP-18"), Contract("R-TCPP-19")]
    public async Task StartListening_AfterAStopThatFailed_SamePortServesAgain(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var factory = new FailingStop();
        IListeningPort port = thread.Reactor.ListenTcp(Loopback(), factory, Options);
        Assert.Throws<InvalidOperationException>(port.StartListening);
        EndPoint number = port.Host;
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => port.StopListeningAsync().WithDeadline());

        port.StartListening();
        Assert.Equal(number, port.Host);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5));
        }

        factory.Fails = false;
        await port.StopListeningAsync().WithDeadline();
        await Assert.ThrowsAsync<SocketException>(() => Peer.ConnectAsync(port));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-20"), Contract("R-CONN-20")]
    public async Task CloseNow_ClosesWithinTheCall_FactorysExceptionIsTheCallers(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IListeningPort port = Listen(thread, () => new TestProtocol());
        IListeningPort failing = thread.Reactor.ListenTcp(Loopback(), new FailingStop(), Options);
        Assert.Throws<InvalidOperationException>(port.CloseNow); // not the loop's thread

        await thread.Do(() =>
        {
            port.CloseNow();
            Assert.True(port.StopListeningAsync().IsCompletedSuccessfully);
            port.CloseNow();
            port.StartListening(); // the number is free at once
            port.CloseNow();
            Assert.Throws<InvalidTimeZoneException>(failing.CloseNow);
        });

        await Assert.ThrowsAsync<SocketException>(() => Peer.ConnectAsync(port));
        await Assert.ThrowsAsync<SocketException>(() => Peer.ConnectAsync(failing));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-12"), Contract("R-TCPP-13"), Contract("R-TCPP-16"), Contract("R-TCPP-01"), Contract("R-TCPP-02")]
    public async Task AdoptStreamPort_ServesOnADuplicate_StopLeavesTheOriginalListening(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        using Socket original = Listener();
        var protocol = new TestProtocol { OnMade = p => p.Transport.Write("hello"u8) };
        IListeningPort port = thread.Reactor.AdoptStreamPort(
            original.SafeHandle, AddressFamily.InterNetwork, ProtocolFactory.Create(() => protocol), Options);
        Assert.Equal(original.LocalEndPoint, port.Host);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5));
            Assert.Equal(peer.Socket.LocalEndPoint, protocol.Transport.Peer);
        }

        await port.StopListeningAsync().WithDeadline();
        Assert.Single(Logged("ListeningStarted"));
        Assert.Single(Logged("ListeningStopped"));

        using Peer second = await Peer.ConnectAsync(port);
        using Socket accepted = await original.AcceptAsync(TestContext.Current.CancellationToken).AsTask().WithDeadline();
        Assert.Equal(second.Socket.LocalEndPoint, accepted.RemoteEndPoint);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-14"), Contract("R-TCPP-15")]
    public async Task Adopt_ClosedDescriptorOrStrangeFamily_ThrowsAtOnce(ReactorStack stack)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "descriptor numbers are Linux's");
        ReactorThread thread = StartReactor(stack);
        var factory = ProtocolFactory.Create(() => new TestProtocol());
        using var closed = new SafeSocketHandle(1_000_000, ownsHandle: false); // beyond any limit of open files
        using Socket original = Listener();
        using var unbound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        Assert.Throws<SocketException>(
            () => thread.Reactor.AdoptStreamPort(closed, AddressFamily.InterNetwork, factory, Options));
        Assert.Throws<SocketException>(
            () => thread.Reactor.AdoptStreamConnection(closed, AddressFamily.InterNetwork, factory, Options));
        Assert.Throws<UnsupportedAddressFamilyException>(
            () => thread.Reactor.AdoptStreamPort(original.SafeHandle, AddressFamily.AppleTalk, factory, Options));
        Assert.Throws<UnsupportedAddressFamilyException>(
            () => thread.Reactor.AdoptStreamConnection(original.SafeHandle, AddressFamily.AppleTalk, factory, Options));
        Assert.Throws<ArgumentException>(
            () => thread.Reactor.AdoptStreamPort(original.SafeHandle, AddressFamily.InterNetworkV6, factory, Options));
        Assert.Throws<ArgumentException>(
            () => thread.Reactor.AdoptStreamPort(unbound.SafeHandle, AddressFamily.InterNetwork, factory, Options));
        await thread.Turn();
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPP-07")]
    public async Task Accept_ManyAtOnce_OthersHaveTheirTurnInBetween(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        const int Clients = 300; // several batches, and less than the queue
        int built = 0;
        int builtWhenOthersRan = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var blocked = new ManualResetEventSlim();
        IListeningPort port = Listen(thread, () =>
        {
            if (++built == 1)
            {
                thread.Reactor.CallFromThread(() => builtWhenOthersRan = built);
            }

            if (built == Clients)
            {
                all.SetResult();
            }

            return null;
        });
        Task held = thread.Do(() => Assert.True(blocked.Wait(Deadline.Default)));
        var peers = new List<Peer>();
        for (int i = 0; i < Clients; i++)
        {
            peers.Add(await Peer.ConnectAsync(port)); // into the queue: the loop stands still
        }

        blocked.Set();
        await held;
        await all.Task.WithDeadline();
        await port.StopListeningAsync().WithDeadline();

        Assert.InRange(builtWhenOthersRan, 1, Clients / 2);
        peers.ForEach(peer => peer.Dispose());
    }

    private static Socket Listener()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(Loopback());
        socket.Listen();
        return socket;
    }

    private sealed class FailingStop : ProtocolFactory
    {
        internal bool Fails { get; set; } = true;

        public override Protocol? BuildProtocol(EndPoint? peer) => new TestProtocol { OnMade = p => p.Transport.Write("hello"u8) };

        protected override void StopFactory()
        {
            if (Fails)
            {
                throw new InvalidTimeZoneException("bug");
            }
        }
    }
}
