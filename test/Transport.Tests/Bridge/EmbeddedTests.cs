using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Reactors;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>The reactor's life on a loop that others run.</summary>
public sealed class EmbeddedTests : ReactorContract
{
    private readonly List<string> _order = [];

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-03"), Contract("R-CORE-32")]
    public async Task Loop_Starts_StartupRunsOnceOnFirstTurn(ReactorStack stack)
    {
        ReactorOnLoop reactor = NewEmbedded(stack);
        reactor.CallWhenRunning(() => _order.Add("first"));
        reactor.CallWhenRunning(() => _order.Add("second"));
        reactor.Loop.AddCallback(() => _order.Add($"first turn, running: {reactor.Running}"));

        await StartEmbedded(reactor).Turn();

        Assert.Equal(["first", "second", "first turn, running: True"], _order);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-32")]
    public async Task Loop_StopsAndStartsAgain_SuspendsAndResumes(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        EmbeddedReactor embedded = StartEmbedded(stack);
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        reader.OnRead = () =>
        {
            Exception? end = pair.Drain();
            read.TrySetResult();
            return end;
        };
        embedded.Reactor.CallFromThread(() => embedded.Reactor.AddReader(reader));
        foreach (string eventName in new[] { SystemEvents.Startup, SystemEvents.Shutdown })
        {
            await embedded.Do(() => embedded.Reactor.AddSystemEventTrigger(SystemEventPhase.After, eventName, () => _order.Add(eventName)));
        }

        await embedded.Turn();
        _order.Clear();
        embedded.StopLoop();
        Assert.True(embedded.Reactor.Running);
        Assert.Equal([reader], embedded.Reactor.GetReaders());
        embedded.StartLoop();
        pair.Theirs.Send(new byte[1]);
        await read.Task.WithDeadline();

        Assert.Empty(_order);
        Assert.Empty(reader.Losses);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-01"), Contract("R-CORE-33")]
    public async Task Stop_Embedded_FiresShutdownAndLeavesTheLoopRunning(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);
        await embedded.Turn();
        await embedded.Do(() =>
        {
            embedded.Reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => _order.Add("shutdown"));
            embedded.Reactor.Stop();
            Assert.Empty(_order);
        });

        await embedded.Turn();

        Assert.Equal(["shutdown"], _order);
        Assert.False(embedded.Reactor.Running);
        Assert.Throws<ReactorNotRestartableException>(embedded.Reactor.Run);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-33")]
    public async Task FireShutdown_ByHand_RunsAllPhasesAndLeavesTheLoopRunning(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);
        await embedded.Turn();
        await embedded.Do(() =>
        {
            foreach (SystemEventPhase phase in Enum.GetValues<SystemEventPhase>())
            {
                embedded.Reactor.AddSystemEventTrigger(
                    phase, SystemEvents.Shutdown, () => _order.Add($"{phase}: {embedded.Reactor.Running}"));
            }

            embedded.Reactor.FireSystemEvent(SystemEvents.Shutdown);
        });

        Assert.Equal(["Before: True", "During: False", "After: False"], _order);
        await embedded.Turn();
        Assert.Throws<ReactorNotRunningException>(embedded.Reactor.Stop);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-13"), Contract("R-CORE-33")]
    public async Task Crash_Embedded_TellsNobodyAndLeavesTheLoopRunning(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);
        await embedded.Turn();
        await embedded.Do(() =>
        {
            embedded.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => _order.Add("shutdown"));
            embedded.Reactor.Stop();
            embedded.Reactor.Crash();
        });

        await embedded.Turn();

        Assert.False(embedded.Reactor.Running);
        Assert.Empty(_order);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-11")]
    public async Task Run_LoopRunsElsewhere_ThrowsAlreadyRunning(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);
        await embedded.Turn();

        Assert.Throws<ReactorAlreadyRunningException>(embedded.Reactor.Run);
        await embedded.Do(() => Assert.Throws<ReactorAlreadyRunningException>(embedded.Reactor.Run));
        await embedded.Do(embedded.Reactor.Stop); // no run is ours, so the loop goes on

        await embedded.Turn();
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-32"), Contract("R-INV-04")]
    public async Task Dispose_Running_ShutsDownAndDisconnectsOnce(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        EmbeddedReactor embedded = StartEmbedded(stack);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        bool called = false;
        var never = new TaskCompletionSource();
        await embedded.Turn();

        await embedded.Do(() =>
        {
            embedded.Reactor.AddReader(reader);
            IDelayedCall call = embedded.Reactor.CallLater(TimeSpan.Zero, () => called = true);
            embedded.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => never.Task);
            embedded.Reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => _order.Add("shutdown"));
            embedded.Reactor.Stop();
            embedded.Reactor.Dispose();
            embedded.Reactor.Dispose();
            Assert.False(call.Active);
        });
        await embedded.Turn();
        never.SetResult();
        await embedded.Turn();

        Assert.Equal(["shutdown"], _order);
        Assert.Single(reader.Losses);
        Assert.False(called);
        await embedded.Do(() =>
        {
            Assert.Throws<ObjectDisposedException>(() => embedded.Reactor.CallLater(TimeSpan.Zero, () => { }));
            Assert.Throws<ObjectDisposedException>(() => embedded.Reactor.AddReader(reader));
            Assert.Throws<ObjectDisposedException>(() => embedded.Reactor.CallWhenRunning(() => { }));
        });
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-32")]
    public void Dispose_AfterLoopIsClosed_StillTellsEverybody(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        ReactorOnLoop reactor = NewEmbedded(stack);
        IEventLoop loop = reactor.Loop;
        var both = new TestDescriptor(pair.Ours.SafeHandle);
        reactor.AddReader(both);
        reactor.AddWriter(both);
        IDelayedCall call = reactor.CallLater(TimeSpan.FromHours(1), () => { });
        reactor.CallWhenRunning(loop.Stop);
        loop.StartBounded();
        loop.Dispose();

        reactor.Dispose();

        Assert.Single(both.Losses);
        Assert.False(call.Active);
        Assert.False(reactor.CallFromThread(() => { }));
        Assert.Throws<ObjectDisposedException>(() => new ReactorOnLoop(loop));
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-32"), Contract("R-INV-03")]
    public async Task CloseLoop_Running_ShutsDownAndDisconnectsOnce(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        EmbeddedReactor embedded = StartEmbedded(stack);
        ReactorOnLoop reactor = embedded.Reactor;
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnLost = _ => _order.Add("disconnected") };
        await embedded.Turn();
        await embedded.Do(() =>
        {
            reactor.AddReader(reader);
            foreach (SystemEventPhase phase in Enum.GetValues<SystemEventPhase>())
            {
                reactor.AddSystemEventTrigger(phase, SystemEvents.Shutdown, () => _order.Add($"{phase}: {reactor.Running}"));
            }
        });
        embedded.StopLoop();
        Assert.Empty(_order);

        embedded.Loop.Dispose();
        reactor.Dispose();

        Assert.Equal(["Before: True", "disconnected", "During: False", "After: False"], _order);
        Assert.Single(reader.Losses);
        Assert.False(reactor.CallFromThread(() => { }));
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-16"), Contract("R-CORE-32")]
    public async Task Loop_StartupWaits_WhatWaitsForTheStartKeepsWaiting(ReactorStack stack)
    {
        ReactorOnLoop reactor = NewEmbedded(stack);
        var gate = new TaskCompletionSource();
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, () => gate.Task);
        reactor.CallWhenRunning(() => _order.Add("first"));
        EmbeddedReactor embedded = StartEmbedded(reactor);
        await embedded.Turn();
        await embedded.Do(() => Assert.NotNull(reactor.CallWhenRunning(() => _order.Add("second"))));
        await embedded.Turn();
        Assert.Empty(_order);
        Assert.False(reactor.Running);

        gate.SetResult();
        await embedded.Turn();

        Assert.Equal(["first", "second"], _order);
        Assert.True(reactor.Running);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    public async Task GetReactor_ManyThreads_IsTheOneOfTheLoop(ReactorStack stack)
    {
        using var group = new LoopGroup(2, stack.Driver);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ReactorOnLoop?[] reactors = new ReactorOnLoop?[8];

        Parallel.For(0, reactors.Length, i => reactors[i] = (ReactorOnLoop)loop.GetReactor());
        reactors[0]!.CallFromThread(() => reactors[0]!.CallWhenRunning(started.SetResult));

        await started.Task.WithDeadline();
        Assert.Single(reactors.Distinct());
        Assert.Same(loop, reactors[0]!.Loop);
        Assert.NotSame(reactors[0], group.Members[1].Loop.GetReactor());
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-10"), Contract("R-TIME-13")]
    public async Task TwoReactorsOnOneLoop_OneStops_TheOtherKeepsItsOwn(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        EmbeddedReactor embedded = StartEmbedded(stack);
        var sibling = new ReactorOnLoop(embedded.Loop);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        await embedded.Do(() => sibling.AddReader(reader));
        IDelayedCall call = await embedded.Ask(() => sibling.CallLater(TimeSpan.FromHours(1), () => { }));
        await embedded.Turn();

        Assert.Empty(await embedded.Ask(embedded.Reactor.GetDelayedCalls));
        await embedded.Do(embedded.Reactor.Stop);
        await embedded.Turn();

        Assert.Empty(reader.Losses);
        Assert.True(sibling.Running);
        Assert.True(call.Active);
        await embedded.Do(sibling.Dispose);
        Assert.Single(reader.Losses);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-CORE-10"), Contract("R-INV-04")]
    public async Task Stop_LoopHasAHandlerOfItsOwn_LeavesItAlone(ReactorStack stack)
    {
        SocketPair pair = Own(new SocketPair());
        EmbeddedReactor embedded = StartEmbedded(stack);
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await embedded.Do(() => embedded.Loop.AddHandler(pair.Ours.SafeHandle, IoEvents.Read, (handle, _) =>
        {
            embedded.Loop.RemoveHandler(handle);
            read.SetResult();
        }));
        await embedded.Turn();

        await embedded.Do(embedded.Reactor.Stop);
        await embedded.Turn();
        pair.Theirs.Send(new byte[1]);

        await read.Task.WithDeadline();
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-THR-16")]
    public async Task CallFromThread_DisposeOvertakesIt_IsDropped(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);
        bool ran = false;

        await embedded.Do(() =>
        {
            Assert.True(embedded.Reactor.CallFromThread(() => ran = true));
            embedded.Reactor.Dispose();
        });
        await embedded.Turn();

        Assert.False(ran);
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-TIME-13")]
    public async Task GetDelayedCalls_LoopHasTimeouts_ListsNone(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);

        await embedded.Do(() =>
        {
            LoopTimeout foreign = embedded.Loop.CallAt(TimeSpan.MaxValue, static _ => { }, null);
            Assert.Empty(embedded.Reactor.GetDelayedCalls());
            embedded.Loop.RemoveTimeout(foreign);
        });
    }

    [Theory, ReactorStacks(OnLoop = true)]
    [Contract("R-TIME-16"), Contract("R-TIME-18")]
    public async Task Change_OfManyCalls_LeavesOneLowerTimerForEachActiveCall(ReactorStack stack)
    {
        EmbeddedReactor embedded = StartEmbedded(stack);

        await embedded.Do(() =>
        {
            var calls = Enumerable.Range(0, 5000).Select(_ => embedded.Reactor.CallLater(TimeSpan.FromDays(1), () => { })).ToList();
            calls.ForEach(call => call.Reset(TimeSpan.FromDays(2)));
            calls.ForEach(call => call.Delay(TimeSpan.FromDays(2)));
            Assert.Equal(calls.Count, PendingBelow(embedded.Loop));
            calls.Skip(1).ToList().ForEach(call => call.Cancel());
            Assert.Equal(1, PendingBelow(embedded.Loop));
        });
    }

    // A native loop counts its timeouts. That of a reactor has a delayed call there for each.
    private static int PendingBelow(IEventLoop loop) => loop switch
    {
        EventLoop native => native.GetStatistics().PendingTimeouts,
        LoopOnReactor bridge => bridge.Reactor.GetDelayedCalls().Count,
        _ => throw new ArgumentException($"No stack has a {loop.GetType()}.", nameof(loop)),
    };
}
