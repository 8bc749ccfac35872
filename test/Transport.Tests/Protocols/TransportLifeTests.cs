using LoopBridge.Bridge;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Reactors;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>How a connection begins and ends.</summary>
public sealed class TransportLifeTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-INV-01"), Contract("R-CONN-30")]
    public async Task Callbacks_WholeLife_OnTheLoopInOrder(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var surroundings = new List<(bool OnLoop, bool Context, bool Connected)>();
        void Note(Protocol p) => surroundings.Add(
            (thread.Reactor.IsInReactorThread, SynchronizationContext.Current == thread.Reactor.GetLoop().SynchronizationContext, p.IsConnected));
        var protocol = new TestProtocol { OnMade = Note, OnData = (p, _) => Note(p), OnLost = (p, _) => Note(p) };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);

        await peer.SendAsync("hello"u8.ToArray());
        await protocol.WaitForBytes(5).WithDeadline();
        peer.Dispose();
        Exception reason = await protocol.Lost.WithDeadline();

        Assert.IsType<ConnectionDoneException>(reason);
        Assert.Equal(["made", "data", "lost"], protocol.Events);
        Assert.Equal([(true, true, true), (true, true, true), (true, true, false)], surroundings);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-17"), Contract("R-CONN-18")]
    public async Task LoseConnection_MuchUnsent_AllArrivesAndWhatIsWrittenAfter(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        int megabytes = stack.Driver == LoopDriver.Epoll ? 60 : 6; // the row's sixty once for each engine: it takes its time
        byte[] data = Pattern(megabytes * 1024 * 1024);
        var protocol = new TestProtocol
        {
            OnMade = p =>
            {
                p.Transport.Write(data);
                p.Transport.LoseConnection();
                p.Transport.LoseConnection();
                p.Transport.Write("tail"u8);
                Assert.True(p.Transport.IsDisconnecting);
            },
        };
        Options.MaxUnsentBytes = null;
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("not to be delivered"u8.ToArray());

        byte[] received = await peer.ReadToEndAsync();

        Assert.True(received.AsSpan(0, data.Length).SequenceEqual(data));
        Assert.Equal("tail"u8.ToArray(), received[data.Length..]);
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.Empty(protocol.Received);
    }

    [Theory, ReactorStacks]
    public async Task LoseConnection_UnreadInput_PeerStillGetsTheLastWords(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol
        {
            OnMade = p => p.Transport.PauseProducing(),
        };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync(Pattern(10_000));
        await protocol.Made.WithDeadline();
        await thread.Do(() =>
        {
            protocol.Transport.Write("go away"u8);
            protocol.Transport.LoseConnection();
        });

        Assert.Equal("go away"u8.ToArray(), await peer.ReadToEndAsync());
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-07"), Contract("R-CONN-08"), Contract("R-CONN-09"), Contract("R-INV-03")]
    public async Task AbortConnection_InDataReceived_ResetsAndTellsInALaterTurn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        bool toldInside = false;
        var protocol = new TestProtocol
        {
            OnData = (p, _) =>
            {
                p.Transport.Write("unsent"u8);
                p.Transport.AbortConnection();
                p.Transport.Write("after"u8);
                p.Transport.AbortConnection();
                p.Transport.LoseConnection();
                toldInside = p.Lost.IsCompleted;
            },
        };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());

        Assert.Empty(await peer.ReadToResetAsync());
        Assert.IsType<ConnectionAbortedLocallyException>(await protocol.Lost.WithDeadline());
        Assert.False(toldInside);
        await thread.Turn();
        Assert.Equal(["made", "data", "lost"], protocol.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-11")]
    public async Task AbortConnection_BuffersFullAndPeerDoesNotRead_LostAtOnce(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol { OnMade = p => p.Transport.Write(new byte[10_000_000]) };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();

        await thread.Do(() => protocol.Transport.AbortConnection());

        Assert.IsType<ConnectionAbortedLocallyException>(await protocol.Lost.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-27")]
    public async Task PeerResets_ConnectionLostWithTheSocketError(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("x"u8.ToArray());
        await protocol.WaitForBytes(1).WithDeadline();

        peer.Reset();

        Exception reason = await protocol.Lost.WithDeadline();
        Assert.IsType<ConnectionLostException>(reason);
        Assert.IsType<System.Net.Sockets.SocketException>(reason.InnerException);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-23")]
    public async Task PeerFinishesSending_AnswerIsStillSent_ThenDone(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        byte[] answer = Pattern(5_000_000);
        var protocol = new TestProtocol { OnData = (p, _) => p.Transport.Write(answer) };
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await peer.SendAsync("?"u8.ToArray());
        peer.FinishSending();

        AssertSameBytes(answer, await peer.ReadToEndAsync());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-22"), Contract("R-CONN-04"), Contract("R-CONN-16"), Contract("R-TCPP-27")]
    public async Task Transport_AfterTheLoss_DoesNothingToWhoeverHasItsNumberNow(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        string name = $"{protocol.Transport}";
        Assert.Equal($"TestProtocol {protocol.Transport.ConnectionId} on {port.Host} for {peer.Socket.LocalEndPoint}", name);
        peer.Dispose();
        await protocol.Lost.WithDeadline();
        SocketPair[] others = [.. Enumerable.Range(0, 8).Select(_ => Own(new SocketPair()))]; // the lowest free numbers

        await thread.Do(() =>
        {
            ITransport transport = protocol.Transport;
            transport.Write("x"u8);
            transport.WriteSequence([new byte[1]]);
            transport.PauseProducing();
            transport.ResumeProducing();
            transport.LoseWriteConnection();
            transport.LoseConnection();
            transport.AbortConnection();
        });
        await thread.Turn();

        Assert.Equal(["made", "lost"], protocol.Events);
        Assert.Equal(name, $"{protocol.Transport}");
        Assert.All(others, pair => Assert.Equal((0, 0), (pair.Ours.Available, pair.Theirs.Available)));
    }

    [Theory, ReactorStacks]
    public async Task Transport_FromAnotherThread_Refuses(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();

        Assert.Throws<InvalidOperationException>(() => protocol.Transport.Write("x"u8));
        Assert.Throws<InvalidOperationException>(() => protocol.Transport.WriteSequence([new byte[1]]));
        Assert.Throws<InvalidOperationException>(protocol.Transport.LoseConnection);
        Assert.Throws<InvalidOperationException>(protocol.Transport.AbortConnection);
        Assert.Throws<InvalidOperationException>(protocol.Transport.PauseProducing);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-23")]
    public async Task Loss_ThenNothingOfOursRefersToTheProtocol(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        WeakReference? reference = null;
        ITransport? transport = null;
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using IListeningPort port = Listen(thread, () =>
        {
            var protocol = new TestProtocol { OnMade = p => transport = p.Transport, OnLost = (_, _) => lost.SetResult() };
            reference = new WeakReference(protocol);
            return protocol;
        });
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await peer.SendAsync("x"u8.ToArray());
        }

        await lost.Task.WithDeadline();
        for (int i = 0; i < 50 && reference!.IsAlive; i++)
        {
            await thread.Turn(); // stale locals leave the loop's stack
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(reference!.IsAlive);
        GC.KeepAlive(transport);
    }

    [Theory, ReactorStacks]
    public async Task Reactor_DisposedOfUnderAConnection_TellsTheProtocol(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        IListeningPort port = Listen(thread, () => protocol);
        using Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();

        thread.Dispose();
        DisposeStack(thread.Reactor);

        Assert.True(protocol.Lost.IsCompletedSuccessfully);
        Assert.True(port.StopListeningAsync().IsCompletedSuccessfully);
    }
}
