using System.Net;
using System.Net.Sockets;
using LoopBridge.Bridge;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Connections and ports in the books of their reactor, and how they end with it.</summary>
public sealed class ReactorBooksTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-CONN-02")]
    public async Task PauseAndResume_LeaveAndEnterTheReadersAtOnce(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IReactor reactor = thread.Reactor;
        var protocol = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();

        await thread.Do(() =>
        {
            ITransport transport = protocol.Transport;
            Assert.Same(reactor, transport.Reactor);
            Assert.Contains(transport, Readers(reactor));
            transport.PauseProducing();
            Assert.DoesNotContain(transport, Readers(reactor));
            transport.ResumeProducing();
            Assert.Single(reactor.GetReaders(), transport);
            transport.PauseProducing();
        });
        await peer.SendAsync("hello"u8.ToArray());
        await thread.Turn();
        Assert.Empty(protocol.Received);

        await thread.Do(() => protocol.Transport.ResumeProducing());
        await protocol.WaitForBytes(5).WithDeadline();
        peer.Dispose();
        await protocol.Lost.WithDeadline();
        Assert.DoesNotContain(protocol.Transport, await thread.Ask(() => Readers(reactor)));
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-02"), Contract("R-FD-05")]
    public async Task Write_MoreThanThePeerTakes_IsAWriterUntilItIsSent(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IReactor reactor = thread.Reactor;
        var protocol = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port, receiveBuffer: 4096);
        await protocol.Made.WithDeadline();
        byte[] data = Pattern(8 * 1024 * 1024);

        await thread.Do(() =>
        {
            Assert.DoesNotContain(protocol.Transport, Writers(reactor));
            protocol.Transport.Write(data);
            Assert.Contains(protocol.Transport, Writers(reactor));
        });
        await thread.Turn();
        Assert.Contains(protocol.Transport, await thread.Ask(() => Writers(reactor)));
        AssertSameBytes(data, await peer.ReadAsync(data.Length));
        Assert.DoesNotContain(protocol.Transport, await thread.Ask(() => Writers(reactor)));
    }

    [Theory, ReactorStacks]
    [Contract("R-FD-06"), Contract("R-CONN-02")]
    public async Task RemoveAll_GivesEachConnectionAndPortOnce_TheyAreServedNoMore(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IReactor reactor = thread.Reactor;
        var protocols = new Queue<TestProtocol>([new TestProtocol(), new TestProtocol()]);
        TestProtocol first = protocols.Peek();
        IListeningPort port = Listen(thread, protocols.Dequeue);
        using Peer peer = await Peer.ConnectAsync(port);
        await first.Made.WithDeadline();

        IReadOnlyList<IDescriptor> removed = await thread.Ask(reactor.RemoveAll);
        Assert.Single<object>(removed, each => each == first.Transport);
        Assert.Single<object>(removed, each => each == port);
        Assert.DoesNotContain<object>(first.Transport, await thread.Ask(reactor.RemoveAll));
        Assert.DoesNotContain(first.Transport, await thread.Ask(() => Readers(reactor)));
        Assert.DoesNotContain(port, await thread.Ask(() => Readers(reactor)));

        await peer.SendAsync("unheard"u8.ToArray());
        using Peer unserved = await Peer.ConnectAsync(port); // the kernel's queue takes it
        await thread.Turn(4);
        Assert.Equal(["made"], first.Events);
        Assert.Single(protocols);

        // Whoever removed them ends them, as the reference's disconnectAll does.
        var reason = new ConnectionLostException("the test's");
        await thread.Do(() =>
        {
            foreach (IDescriptor descriptor in removed.Where(each => each == first.Transport || each == port))
            {
                descriptor.ConnectionLost(reason);
            }

            Assert.Equal(["made", "lost"], first.Events);
        });
        Assert.Same(reason, await first.Lost);
        Assert.True(port.StopListeningAsync().IsCompletedSuccessfully);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-10"), Contract("R-INV-03"), Contract("R-INV-04")]
    public async Task Shutdown_EndsConnectionsAndPorts_EachToldOnce_BeforeTheTriggersAfter(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IReactor reactor = thread.Reactor;
        var bug = new InvalidTimeZoneException("bug");
        var protocols = new List<TestProtocol>();
        IListeningPort port = Listen(thread, () =>
        {
            var built = new TestProtocol { OnLost = (_, _) => throw bug };
            protocols.Add(built);
            return built;
        });
        using Peer reading = await Peer.ConnectAsync(port);
        using Peer paused = await Peer.ConnectAsync(port);
        await reading.SendAsync("x"u8.ToArray());
        while (await thread.Ask(() => protocols.Count) < 2)
        {
            await thread.Turn();
        }

        bool allToldBefore = false;
        await thread.Do(() =>
        {
            protocols[1].Transport.PauseProducing();
            reactor.AddSystemEventTrigger(
                SystemEventPhase.During, SystemEvents.Shutdown, () => allToldBefore = protocols.TrueForAll(each => each.Lost.IsCompleted));
            reactor.Stop();
        });
        await thread.Ended;

        Assert.True(allToldBefore);
        Assert.All(protocols, each => Assert.Single(each.Events, "lost"));
        Assert.IsType<ConnectionLostException>(await protocols[0].Lost);
        Assert.IsType<ConnectionLostException>(await protocols[1].Lost);
        Assert.Equal([bug, bug], TakeErrors());
        Assert.Empty(reactor.GetReaders());
        Assert.Empty(await paused.ReadToEndAsync());
        await port.StopListeningAsync().WithDeadline();
        await Assert.ThrowsAsync<SocketException>(() => Peer.ConnectAsync(port));
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-10"), Contract("R-INV-03")]
    public async Task Shutdown_AfterAnAbortInTheSameTurn_ItsOwnReasonIsToldOnce(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();

        await thread.Do(() =>
        {
            protocol.Transport.AbortConnection();
            Assert.False(protocol.Lost.IsCompleted);
            thread.Reactor.Stop();
        });
        await thread.Ended;

        Assert.IsType<ConnectionAbortedLocallyException>(await protocol.Lost);
        Assert.Single(protocol.Events, "lost");
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-10")]
    public async Task Shutdown_OfOneReactor_LeavesTheSiblingsConnections(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);
        var sibling = new ReactorOnLoop(embedded.Loop, Log.CreateLogger("sibling"));
        Own(sibling);
        var mine = new TestProtocol();
        var theirs = new TestProtocol();
        await using IListeningPort port
            = embedded.Reactor.ListenTcp(Loopback(), ProtocolFactory.Create(() => mine), Options);
        await using IListeningPort other = sibling.ListenTcp(Loopback(), ProtocolFactory.Create(() => theirs), Options);
        using Peer peer = await Peer.ConnectAsync(port);
        using Peer another = await Peer.ConnectAsync(other);
        await mine.Made.WithDeadline();
        await theirs.Made.WithDeadline();

        await embedded.Do(embedded.Reactor.Stop);
        await mine.Lost.WithDeadline();
        await another.SendAsync("still here"u8.ToArray());
        await theirs.WaitForBytes(10).WithDeadline();
        Assert.DoesNotContain(theirs.Transport, await embedded.Ask(() => Readers(embedded.Reactor)));
        Assert.Contains(theirs.Transport, await embedded.Ask(() => Readers(sibling)));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-21")]
    public async Task Loss_TheHandleIsClosedWhenTheProtocolHears_OnBothSides(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var closed = new List<bool>();
        void Note(Protocol p, Exception _) => closed.Add(((IDescriptor)p.Transport).Handle.IsClosed);
        var server = new TestProtocol { OnLost = Note };
        await using IListeningPort port = Listen(thread, () => server);
        var factory = new RecordingFactory { OnBuild = () => new TestProtocol { OnLost = Note } };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, new ConnectorOptions { Transport = Options }));
        await server.Made.WithDeadline();
        await factory.Built.WithDeadline();
        await factory.Protocol!.Made.WithDeadline();
        Assert.False(((IDescriptor)server.Transport).Handle.IsClosed);

        await thread.Do(() => server.Transport.LoseConnection());
        await factory.Ended.WithDeadline();
        await server.Lost.WithDeadline();

        Assert.Equal([true, true], closed);
        bool held = false;
        Assert.Throws<ObjectDisposedException>(() => ((IDescriptor)server.Transport).Handle.DangerousAddRef(ref held));
    }

    private static object[] Readers(IReactor reactor) => [.. reactor.GetReaders()];

    private static object[] Writers(IReactor reactor) => [.. reactor.GetWriters()];
}
