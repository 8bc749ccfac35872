using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Reactors;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>The reactor's life on a loop that others run.</summary>
public sealed class ReactorOnLoopEmbeddedTests
{
    private readonly List<string> _order = [];

    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-03"), Contract("R-CORE-32")]
    public async Task Loop_Starts_StartupRunsOnceOnFirstTurn(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        harness.Reactor.CallWhenRunning(() => _order.Add("first"));
        harness.Reactor.CallWhenRunning(() => _order.Add("second"));
        harness.Loop.AddCallback(() => _order.Add($"first turn, running: {harness.Reactor.Running}"));

        harness.Start();
        await harness.Turn();

        Assert.Equal(["first", "second", "first turn, running: True"], _order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-32")]
    public async Task Loop_StopsAndStartsAgain_SuspendsAndResumes(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        reader.OnRead = () =>
        {
            Exception? end = pair.Drain();
            read.TrySetResult();
            return end;
        };
        harness.Reactor.CallFromThread(() => harness.Reactor.AddReader(reader));
        foreach (string eventName in new[] { SystemEvents.Startup, SystemEvents.Shutdown })
        {
            await harness.On(() => harness.Reactor.AddSystemEventTrigger(SystemEventPhase.After, eventName, () => _order.Add(eventName)));
        }

        await harness.Turn();
        _order.Clear();
        await harness.StopLoopAsync();
        Assert.True(harness.Reactor.Running);
        Assert.Equal([reader], harness.Reactor.GetReaders());
        harness.Start();
        pair.Theirs.Send(new byte[1]);
        await read.Task.WithDeadline();

        Assert.Empty(_order);
        Assert.Empty(reader.Losses);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-01"), Contract("R-CORE-33")]
    public async Task Stop_Embedded_FiresShutdownAndLeavesTheLoopRunning(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        await harness.Turn();
        await harness.On(() =>
        {
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => _order.Add("shutdown"));
            harness.Reactor.Stop();
            Assert.Empty(_order);
        });

        await harness.Turn();

        Assert.Equal(["shutdown"], _order);
        Assert.False(harness.Reactor.Running);
        Assert.Throws<ReactorNotRestartableException>(harness.Reactor.Run);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-33")]
    public async Task FireShutdown_ByHand_RunsAllPhasesAndLeavesTheLoopRunning(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        await harness.Turn();
        await harness.On(() =>
        {
            foreach (SystemEventPhase phase in Enum.GetValues<SystemEventPhase>())
            {
                harness.Reactor.AddSystemEventTrigger(
                    phase, SystemEvents.Shutdown, () => _order.Add($"{phase}: {harness.Reactor.Running}"));
            }

            harness.Reactor.FireSystemEvent(SystemEvents.Shutdown);
        });

        Assert.Equal(["Before: True", "During: False", "After: False"], _order);
        await harness.Turn();
        Assert.Throws<ReactorNotRunningException>(harness.Reactor.Stop);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-13"), Contract("R-CORE-33")]
    public async Task Crash_Embedded_TellsNobodyAndLeavesTheLoopRunning(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        await harness.Turn();
        await harness.On(() =>
        {
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => _order.Add("shutdown"));
            harness.Reactor.Stop();
            harness.Reactor.Crash();
        });

        await harness.Turn();

        Assert.False(harness.Reactor.Running);
        Assert.Empty(_order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-11")]
    public async Task Run_LoopRunsElsewhere_ThrowsAlreadyRunning(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        await harness.Turn();

        Assert.Throws<ReactorAlreadyRunningException>(harness.Reactor.Run);
        await harness.On(() => Assert.Throws<ReactorAlreadyRunningException>(harness.Reactor.Run));
        await harness.On(harness.Reactor.Stop); // no run is ours, so the loop goes on

        await harness.Turn();
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-32"), Contract("R-INV-04")]
    public async Task Dispose_Running_ShutsDownAndDisconnectsOnce(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        bool called = false;
        var never = new TaskCompletionSource();
        await harness.Turn();

        await harness.On(() =>
        {
            harness.Reactor.AddReader(reader);
            IDelayedCall call = harness.Reactor.CallLater(TimeSpan.Zero, () => called = true);
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => never.Task);
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => _order.Add("shutdown"));
            harness.Reactor.Stop();
            harness.Reactor.Dispose();
            harness.Reactor.Dispose();
            Assert.False(call.Active);
        });
        await harness.Turn();
        never.SetResult();
        await harness.Turn();

        Assert.Equal(["shutdown"], _order);
        Assert.Single(reader.Losses);
        Assert.False(called);
        await harness.On(() =>
        {
            Assert.Throws<ObjectDisposedException>(() => harness.Reactor.CallLater(TimeSpan.Zero, () => { }));
            Assert.Throws<ObjectDisposedException>(() => harness.Reactor.AddReader(reader));
            Assert.Throws<ObjectDisposedException>(() => harness.Reactor.CallWhenRunning(() => { }));
        });
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-32")]
    public async Task Dispose_AfterLoopIsClosed_StillTellsEverybody(LoopDriver driver)
    {
        var loop = new EventLoop(new EventLoopOptions { Driver = driver });
        var reactor = new ReactorOnLoop(loop);
        using var pair = new SocketPair();
        var both = new TestDescriptor(pair.Ours.SafeHandle);
        reactor.AddReader(both);
        reactor.AddWriter(both);
        IDelayedCall call = reactor.CallLater(TimeSpan.FromHours(1), () => { });
        reactor.CallWhenRunning(loop.Stop);
        await ReactorHarness.OnThread(loop.Start).WithDeadline();
        loop.Dispose();

        reactor.Dispose();

        Assert.Single(both.Losses);
        Assert.False(call.Active);
        Assert.False(reactor.CallFromThread(() => { }));
        Assert.Throws<ObjectDisposedException>(() => new ReactorOnLoop(loop));
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task GetReactor_ManyThreads_IsTheOneOfTheLoop(LoopDriver driver)
    {
        using var group = new LoopGroup(2, driver);
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

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-10"), Contract("R-TIME-13")]
    public async Task TwoReactorsOnOneLoop_OneStops_TheOtherKeepsItsOwn(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver);
        using var sibling = new ReactorOnLoop(harness.Loop);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        await harness.On(() => sibling.AddReader(reader));
        IDelayedCall call = await harness.On(() => sibling.CallLater(TimeSpan.FromHours(1), () => { }));
        await harness.Turn();

        Assert.Empty(await harness.On(harness.Reactor.GetDelayedCalls));
        await harness.On(harness.Reactor.Stop);
        await harness.Turn();

        Assert.Empty(reader.Losses);
        Assert.True(sibling.Running);
        Assert.True(call.Active);
        await harness.On(sibling.Dispose);
        Assert.Single(reader.Losses);
    }
}
