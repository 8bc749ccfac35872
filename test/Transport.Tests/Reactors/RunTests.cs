using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>The reactor's life, from run to stop or crash.</summary>
public sealed class RunTests : ReactorContract
{
    private readonly List<string> _order = [];

    [Theory, ReactorStacks]
    [Contract("R-CORE-01"), Contract("R-CORE-02"), Contract("R-CORE-12")]
    public void Stop_NotRunning_ThrowsAndChangesNothing(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        Assert.Throws<ReactorNotRunningException>(reactor.Stop);
        reactor.CallWhenRunning(() =>
        {
            reactor.Stop();
            Assert.Throws<ReactorNotRunningException>(reactor.Stop);
            Assert.Throws<ReactorNotRestartableException>(reactor.Run);
        });

        reactor.RunBounded();

        Assert.False(reactor.Running);
        Assert.Throws<ReactorNotRunningException>(reactor.Stop);
        Assert.Throws<ReactorNotRestartableException>(reactor.Run);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-03"), Contract("R-CORE-04"), Contract("R-CORE-05"), Contract("R-CORE-08")]
    public void Run_WholeLife_HasItsOrder(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnLost = _ => Note(reactor, "disconnected") };
        reactor.AddReader(reader);
        Assert.NotNull(reactor.CallWhenRunning(() => Note(reactor, "first")));
        SystemEventTrigger removed = reactor.CallWhenRunning(() => Note(reactor, "removed"))!;
        reactor.CallWhenRunning(() =>
        {
            reactor.Stop();
            Assert.Null(reactor.CallWhenRunning(() => Note(reactor, "at once")));
            Note(reactor, "second");
        });
        reactor.RemoveSystemEventTrigger(removed);
        foreach (string eventName in new[] { SystemEvents.Startup, SystemEvents.Shutdown })
        {
            foreach (SystemEventPhase phase in Enum.GetValues<SystemEventPhase>())
            {
                reactor.AddSystemEventTrigger(phase, eventName, () => Note(reactor, $"{phase} {eventName}"));
            }
        }

        reactor.RunBounded();

        Assert.Equal(
            [
                "Before startup: False", "During startup: True", "first: True", "at once: True", "second: True", "After startup: True",
                "Before shutdown: True", "disconnected: False", "During shutdown: False", "After shutdown: False",
            ],
            _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-09"), Contract("R-TIME-01")]
    public void Stop_FromDelayedCall_ShutsDownAfterWhatIsDue(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => _order.Add("shutdown"));
        reactor.CallWhenRunning(() =>
        {
            reactor.CallLater(TimeSpan.Zero, () =>
            {
                reactor.Stop();
                _order.Add("stopped");
            });
            reactor.CallLater(TimeSpan.Zero, () => _order.Add("due"));
        });

        reactor.RunBounded();

        Assert.Equal(["stopped", "due", "shutdown"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-09")]
    public void Stop_FromCrossThreadCall_ShutsDownAfterWhatIsQueuedAndDue(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => _order.Add("shutdown"));
        reactor.CallWhenRunning(() =>
        {
            reactor.CallFromThread(() =>
            {
                reactor.Stop();
                _order.Add("stopped");
                reactor.CallFromThread(() => _order.Add("next turn"));
            });
            reactor.CallFromThread(() => _order.Add("queued"));
            reactor.CallLater(TimeSpan.Zero, () => _order.Add("due"));
        });

        reactor.RunBounded();

        Assert.Equal(["stopped", "queued", "due", "shutdown"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-09")]
    public void Stop_FromDescriptor_ShutsDownAfterTheNextTurnsCalls(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => _order.Add("shutdown"));
        reactor.AddReader(new TestDescriptor(pair.Ours.SafeHandle)
        {
            OnRead = () =>
            {
                reactor.Stop();
                _order.Add("stopped");
                reactor.CallFromThread(() => _order.Add("call"));
                reactor.CallLater(TimeSpan.Zero, () => _order.Add("timed call"));
                return pair.Drain();
            },
        });
        pair.Theirs.Send(new byte[1]);

        reactor.RunBounded();

        Assert.Equal(["stopped", "call", "timed call", "shutdown"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-12")]
    public void Run_FromShutdownTrigger_ThrowsNotRestartable(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () =>
        {
            Assert.Throws<ReactorNotRestartableException>(reactor.Run);
            Note(reactor, "refused");
        });
        reactor.CallWhenRunning(reactor.Stop);

        reactor.RunBounded();

        Assert.Equal(["refused: False"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-11")]
    public async Task Run_Running_ThrowsAndOuterRunGoesOn(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        reactor.CallWhenRunning(() =>
        {
            Assert.Throws<ReactorAlreadyRunningException>(reactor.Run);
            started.SetResult();
        });

        ReactorThread thread = Run(reactor);
        await started.Task.WithDeadline();
        Assert.Throws<ReactorAlreadyRunningException>(reactor.Run);
        await thread.Turn();
        Assert.False(thread.HasEnded);

        reactor.CallFromThread(reactor.Stop);
        await thread.Ended;
    }

    [Theory, ReactorStacks(SystemEventPhase.Before, SystemEventPhase.After)]
    [Contract("R-CORE-13"), Contract("R-CORE-14"), Contract("R-CORE-15")]
    public void Crash_FromStartupTrigger_EndsRunAndCanRunAgain(ReactorStack stack, SystemEventPhase phase)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        reactor.AddReader(reader);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => Note(reactor, "shutdown"));
        for (int run = 0; run < 3; run++)
        {
            reactor.AddSystemEventTrigger(phase, SystemEvents.Startup, reactor.Crash);
            reactor.RunBounded();
            Assert.False(reactor.Running);
            Assert.Throws<ReactorNotRunningException>(reactor.Stop);
        }

        Assert.Empty(_order);
        Assert.Empty(reader.Losses);
        reactor.CallWhenRunning(() => Note(reactor, "started"));
        reactor.CallWhenRunning(reactor.Stop);
        reactor.RunBounded();

        Assert.Equal(["started: True", "shutdown: True"], _order);
        Assert.Single(reader.Losses);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-13"), Contract("R-CORE-14")]
    public void Crash_FromDelayedCall_KeepsTheOthersForTheNextRun(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.CallLater(TimeSpan.Zero, () =>
        {
            reactor.Crash();
            reactor.CallLater(TimeSpan.Zero, () =>
            {
                Note(reactor, "kept");
                reactor.Stop();
            });
        });

        reactor.RunBounded();
        Assert.Single(reactor.GetDelayedCalls());
        Assert.Empty(_order);
        reactor.RunBounded();

        Assert.Equal(["kept: True"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-13"), Contract("R-CORE-14")]
    public void Crash_FromDescriptor_EndsRunAndTheNextIsWhole(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => Note(reactor, "shutdown"));
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnRead = Crash };
        reactor.AddReader(reader);
        pair.Theirs.Send(new byte[1]);

        reactor.RunBounded();
        Assert.Empty(_order);
        Assert.Empty(reader.Losses);
        reactor.CallWhenRunning(() => reactor.CallLater(TimeSpan.Zero, reactor.Stop));
        reactor.RunBounded();

        Assert.Equal(["shutdown: True"], _order);
        Assert.Single(reader.Losses);
        Exception? Crash()
        {
            reactor.Crash();
            return pair.Drain();
        }
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-16")]
    public void Run_StartupWaits_DescriptorsAreServedAndItsContinuationMayStop(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        IReactor reactor = NewReactor(stack);
        var gate = new TaskCompletionSource();
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, async () =>
        {
            await gate.Task;
            Note(reactor, "continued");
            reactor.Stop();
        });
        reactor.CallWhenRunning(() => Note(reactor, "started"));
        reactor.AddReader(new TestDescriptor(pair.Ours.SafeHandle)
        {
            OnRead = () =>
            {
                Note(reactor, "read");
                gate.TrySetResult();
                return pair.Drain();
            },
        });
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => Note(reactor, "stopped"));
        pair.Theirs.Send(new byte[1]);

        reactor.RunBounded();

        Assert.Equal("read: False", _order[0]);
        Assert.Equal("continued: False", _order[1]);
        Assert.Equal("stopped: False", _order[^1]);
        Assert.False(reactor.Running);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-16")]
    public void Run_StartupWaits_TurnsWithoutRunningAndStopEndsIt(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var gate = new TaskCompletionSource();
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, () => gate.Task);
        reactor.CallWhenRunning(() => Note(reactor, "started"));
        reactor.CallLater(TimeSpan.FromMilliseconds(1), () =>
        {
            Note(reactor, "timed call");
            gate.SetResult();
            reactor.Stop();
        });

        reactor.RunBounded();

        Assert.Equal(["timed call: False", "started: True"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-16")]
    public void Run_StoppedWhileStartupWaits_ReturnsWithoutHavingStarted(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var gate = new TaskCompletionSource();
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, () => gate.Task);
        reactor.CallWhenRunning(() => Note(reactor, "started"));
        reactor.CallLater(TimeSpan.Zero, reactor.Stop);

        reactor.RunBounded();
        gate.SetResult();

        Assert.Empty(_order);
        Assert.False(reactor.Running);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-20")]
    public void Stop_ShutdownTriggerReturnsTask_RunReturnsAfterIt(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.CallWhenRunning(reactor.Stop);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () =>
        {
            var gate = new TaskCompletionSource();
            reactor.CallLater(TimeSpan.FromMilliseconds(1), () =>
            {
                Note(reactor, "still turning");
                gate.SetResult();
            });
            return gate.Task;
        });
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => Note(reactor, "after"));

        reactor.RunBounded();

        Assert.Equal(["still turning: True", "after: False"], _order);
    }

    private void Note(IReactor reactor, string what) => _order.Add($"{what}: {reactor.Running}");
}
