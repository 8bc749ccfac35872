using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Producers on a transport: who is paused, resumed and stopped, and when.</summary>
public sealed class ProducerTests : ProtocolContract
{
    private const int Full = 64 * 1024;

    [Theory, ReactorStacks]
    [Contract("R-PROD-05"), Contract("R-WSEQ-03")]
    public async Task Push_PausedAboveTheMarkAtEachWrite_ResumedOnceWhenEmpty(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        var producer = new Recorder();

        List<string> inside = await thread.Ask(() =>
        {
            protocol.Transport.RegisterProducer((IPushProducer)producer);
            protocol.Transport.Write(new byte[Full]); // not more than the mark
            producer.Events.Add("full");
            protocol.Transport.WriteSequence([new byte[1], new byte[2]]);
            producer.Events.Add("more");
            protocol.Transport.Write(new byte[1]);
            return new List<string>(producer.Events);
        });
        Assert.Equal(["full", "pause", "more", "pause"], inside);
        await peer.ReadAsync(Full + 4);
        await producer.Resumed.WithDeadline();
        await thread.Turn();

        Assert.Equal(["full", "pause", "more", "pause", "resume"], producer.Events);
        await EndAsync(thread, port, protocol, peer);
        Assert.Equal("stop", producer.Events[^1]);
        Assert.Single(producer.Events, "stop");
    }

    [Theory, ReactorStacks]
    [Contract("R-PROD-04")]
    public async Task Push_WritesFromResume_PausedInsideAgainWithoutRecursion(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        const int Rounds = 50;
        int rounds = 0;
        int depth = 0;
        int deepest = 0;
        var producer = new Recorder();
        producer.OnResume = () =>
        {
            deepest = Math.Max(deepest, ++depth);
            if (rounds++ < Rounds)
            {
                protocol.Transport.WriteSequence([new byte[Full], new byte[1]]);
                Assert.Equal("pause", producer.Events[^1]);
            }

            depth--;
        };

        await thread.Do(() =>
        {
            protocol.Transport.RegisterProducer((IPushProducer)producer);
            protocol.Transport.Write(new byte[Full + 1]);
        });
        await peer.ReadAsync((Rounds + 1) * (Full + 1));
        await thread.Turn();

        Assert.Equal(1, deepest);
        Assert.Equal(Enumerable.Repeat(new[] { "pause", "resume" }, Rounds + 1).SelectMany(pair => pair), producer.Events);
        await EndAsync(thread, port, protocol, peer);
    }

    [Theory, ReactorStacks]
    [Contract("R-WSEQ-04"), Contract("R-PROD-03"), Contract("R-PROD-08")]
    public async Task Pull_AskedAtRegistrationAndAfterEachDrain_NeverPaused_StopConsumingCloses(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var producer = new Recorder();
        producer.OnResume = () =>
        {
            if (producer.Events.Count <= 3)
            {
                protocol.Transport.Write(new byte[2 * Full]);
                protocol.Transport.WriteSequence([new byte[Full], new byte[1]]);
            }
            else
            {
                asked.SetResult(); // writes nothing: it is not asked again
            }
        };
        Assert.Equal(["resume"], await thread.Ask(() =>
        {
            protocol.Transport.RegisterProducer((IPullProducer)producer);
            return new List<string>(producer.Events);
        }));
        await peer.ReadAsync(3 * ((3 * Full) + 1));
        await asked.Task.WithDeadline();
        Assert.Equal(["resume", "resume", "resume", "resume"], producer.Events);

        await thread.Do(() =>
        {
            protocol.Transport.Write("last"u8);
            protocol.Transport.StopConsuming();
        });

        Assert.Equal("last"u8.ToArray(), await peer.ReadToEndAsync());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.DoesNotContain("pause", producer.Events);
        Assert.DoesNotContain("stop", producer.Events);
        await port.StopListeningAsync().WithDeadline();
        peer.Dispose();
    }

    [Theory, ReactorStacks]
    [Contract("R-PROD-01")]
    public async Task RegisterProducer_Second_ThrowsAndKeepsTheFirst(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        var first = new Recorder();
        var second = new Recorder();
        await thread.Do(() =>
        {
            protocol.Transport.RegisterProducer((IPushProducer)first);
            Assert.Throws<InvalidOperationException>(() => protocol.Transport.RegisterProducer((IPushProducer)second));
            Assert.Throws<InvalidOperationException>(() => protocol.Transport.RegisterProducer((IPullProducer)second));
            protocol.Transport.Write(new byte[Full + 1]);
        });

        Assert.Equal("pause", first.Events[0]);
        Assert.Empty(second.Events);
        await EndAsync(thread, port, protocol, peer);
    }

    [Theory, ReactorStacks]
    [Contract("R-PROD-02"), Contract("R-TCPC-24")]
    public async Task RegisterProducer_AfterTheLoss_StoppedAtOnce_UnregisterInTheLossIsHarmless(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var producer = new Recorder();
        var protocol = new TestProtocol
        {
            OnMade = p => p.Transport.RegisterProducer((IPushProducer)producer),
            OnLost = (p, _) => p.Transport.UnregisterProducer(),
        };
        await using IListeningPort port = Listen(thread, () => protocol);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await protocol.Made.WithDeadline();
            await thread.Do(() => protocol.Transport.LoseConnection());
        }

        await thread.Do(() => protocol.Transport.AbortConnection()); // the producer never ends: nothing else does
        await protocol.Lost.WithDeadline();
        Assert.Equal(["stop"], producer.Events);

        var late = new Recorder();
        await thread.Do(() =>
        {
            protocol.Transport.RegisterProducer((IPushProducer)late);
            protocol.Transport.UnregisterProducer();
            protocol.Transport.RegisterProducer((IPullProducer)late);
        });
        Assert.Equal(["stop", "stop"], late.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-PROD-06"), Contract("R-TCPC-25")]
    public async Task LoseConnection_WaitsForTheProducer_UnregisterCloses(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        var producer = new Recorder();
        await thread.Do(() =>
        {
            protocol.Transport.RegisterProducer((IPushProducer)producer);
            protocol.Transport.Write("a"u8);
            protocol.Transport.LoseConnection();
        });
        await thread.Turn();
        await thread.Do(() => protocol.Transport.Write("b"u8));
        Assert.Equal("ab"u8.ToArray(), await peer.ReadAsync(2));
        Assert.False(protocol.Lost.IsCompleted);

        await thread.Do(() => protocol.Transport.UnregisterProducer());

        Assert.Empty(await peer.ReadToEndAsync());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        Assert.Empty(producer.Events);
        await port.StopListeningAsync().WithDeadline();
        peer.Dispose();
    }

    [Theory, ReactorStacks]
    [Contract("R-PROD-07"), Contract("R-CONN-28")]
    public async Task Loss_StopsTheProducerOnceBeforeTheProtocolHears(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var protocol = new TestProtocol();
        var producer = new Recorder { OnStop = () => protocol.Events.Enqueue("stop") };
        await using IListeningPort port = Listen(thread, () => protocol);
        using (Peer peer = await Peer.ConnectAsync(port))
        {
            await protocol.Made.WithDeadline();
            await thread.Do(() => protocol.Transport.RegisterProducer((IPushProducer)producer));
            peer.Reset();
        }

        await protocol.Lost.WithDeadline();
        await thread.Turn();
        Assert.Equal(["made", "stop", "lost"], protocol.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-10")]
    public async Task Abort_InResumeProducing_StopsItAndTellsInALaterTurn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        bool? lostInside = null;
        var producer = new Recorder();
        producer.OnResume = () =>
        {
            if (producer.Events.Count == 1)
            {
                protocol.Transport.Write("x"u8);
                return;
            }

            protocol.Transport.AbortConnection();
            lostInside = protocol.Lost.IsCompleted;
        };
        await thread.Do(() => protocol.Transport.RegisterProducer((IPullProducer)producer));

        Assert.IsType<ConnectionAbortedLocallyException>(await protocol.Lost.WithDeadline());
        Assert.Equal(["resume", "resume", "stop"], producer.Events);
        Assert.False(lostInside);
        await port.StopListeningAsync().WithDeadline();
        peer.Dispose();
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-13")]
    public async Task ResumeProducing_AbortsAndThrows_LoggedOnceAndTheReason(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        var bug = new InvalidTimeZoneException("bug");
        var producer = new Recorder();
        producer.OnResume = () =>
        {
            if (producer.Events.Count == 1)
            {
                protocol.Transport.Write("x"u8);
                return;
            }

            protocol.Transport.AbortConnection();
            throw bug;
        };
        await thread.Do(() => protocol.Transport.RegisterProducer((IPullProducer)producer));

        Assert.Same(bug, await protocol.Lost.WithDeadline());
        Assert.Same(bug, Assert.Single(TakeErrors()));
        Assert.Single(protocol.Events, "lost");
        await port.StopListeningAsync().WithDeadline();
        peer.Dispose();
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-26"), Contract("R-PROD-08")]
    public async Task Transport_IsAProducerItself_StopMeansLoseConnection(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        await thread.Do(() =>
        {
            IPushProducer producer = protocol.Transport;
            Assert.Throws<ArgumentNullException>(
                () => protocol.Transport.WriteSequence((IEnumerable<ReadOnlyMemory<byte>>)null!));
            producer.PauseProducing();
            Assert.True(protocol.Transport.IsPaused);
            producer.ResumeProducing();
            Assert.False(protocol.Transport.IsPaused);
            producer.StopProducing();
        });

        Assert.Empty(await peer.ReadToEndAsync());
        Assert.IsType<ConnectionDoneException>(await protocol.Lost.WithDeadline());
        await port.StopListeningAsync().WithDeadline();
        peer.Dispose();
    }

    [Theory, ReactorStacks]
    [Contract("R-PROD-09")]
    public async Task Write_KernelBufferFull_StaysQueuedAndIsNoError(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        byte[] data = Pattern(12_000_000);
        await thread.Do(() => protocol.Transport.Write(data));
        for (int i = 0; i < 10; i++)
        {
            await thread.Turn(); // turns in which nothing can leave
        }

        Assert.False(protocol.Lost.IsCompleted);
        AssertSameBytes(data, await peer.ReadAsync(data.Length));
        await EndAsync(thread, port, protocol, peer);
    }

    [Theory, ReactorStacks]
    [Contract("R-CONN-25")]
    public async Task Options_OffAtFirst_AndRoundTrip(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        (IListeningPort port, TestProtocol protocol, Peer peer) = await ConnectAsync(thread);
        TestProtocol client = await thread.Reactor.ConnectTcp(
            (System.Net.IPEndPoint)port.Host, () => new TestProtocol(), cancellationToken: TestContext.Current.CancellationToken)
            .WithDeadline();
        await thread.Do(() =>
        {
            foreach (ITransport transport in new[] { protocol.Transport, client.Transport })
            {
                Assert.False(transport.NoDelay);
                Assert.False(transport.KeepAlive);
                transport.NoDelay = true;
                Assert.Equal((true, false), (transport.NoDelay, transport.KeepAlive));
                transport.KeepAlive = true;
                transport.NoDelay = false;
                Assert.Equal((false, true), (transport.NoDelay, transport.KeepAlive));
            }
        });
        await EndAsync(thread, port, protocol, peer);
        await thread.Do(() =>
        {
            protocol.Transport.NoDelay = true;
            Assert.False(protocol.Transport.NoDelay);
        });
    }

    private async Task<(IListeningPort Port, TestProtocol Protocol, Peer Peer)> ConnectAsync(ReactorThread thread)
    {
        var protocol = new TestProtocol();
        IListeningPort port = Listen(thread, () => protocol.Made.IsCompleted ? new TestProtocol() : protocol);
        Peer peer = await Peer.ConnectAsync(port);
        await protocol.Made.WithDeadline();
        return (port, protocol, peer);
    }

    private static async Task EndAsync(ReactorThread thread, IListeningPort port, TestProtocol protocol, Peer peer)
    {
        peer.Reset();
        await protocol.Lost.WithDeadline();
        await port.StopListeningAsync().WithDeadline();
        await thread.Turn();
    }

    private sealed class Recorder : IPushProducer, IPullProducer
    {
        private readonly TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal List<string> Events { get; } = [];

        internal Action? OnResume { get; set; }

        internal Action? OnStop { get; init; }

        internal Task Resumed => _resumed.Task;

        public void PauseProducing() => Events.Add("pause");

        public void ResumeProducing()
        {
            Events.Add("resume");
            OnResume?.Invoke();
            _resumed.TrySetResult();
        }

        public void StopProducing()
        {
            Events.Add("stop");
            OnStop?.Invoke();
        }
    }
}
