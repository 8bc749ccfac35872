using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Reactors;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>The reactor's life when it runs the loop itself.</summary>
public sealed class ReactorOnLoopRunTests
{
    private readonly List<string> _order = [];

    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-01"), Contract("R-CORE-02"), Contract("R-CORE-12")]
    public async Task Stop_NotRunning_ThrowsAndChangesNothing(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        Assert.Throws<ReactorNotRunningException>(harness.Reactor.Stop);
        harness.Reactor.CallWhenRunning(() =>
        {
            harness.Reactor.Stop();
            Assert.Throws<ReactorNotRunningException>(harness.Reactor.Stop);
            Assert.Throws<ReactorNotRestartableException>(harness.Reactor.Run);
        });

        await harness.RunAsync().WithDeadline();

        Assert.False(harness.Reactor.Running);
        Assert.Throws<ReactorNotRunningException>(harness.Reactor.Stop);
        Assert.Throws<ReactorNotRestartableException>(harness.Reactor.Run);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-03"), Contract("R-CORE-04"), Contract("R-CORE-05"), Contract("R-CORE-08")]
    public async Task Run_WholeLife_HasItsOrder(LoopDriver driver)
    {
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver, start: false);
        var reader = new TestDescriptor(pair.Ours.SafeHandle) { OnLost = _ => Log(harness, "disconnected") };
        harness.Reactor.AddReader(reader);
        Assert.NotNull(harness.Reactor.CallWhenRunning(() => Log(harness, "first")));
        SystemEventTrigger removed = harness.Reactor.CallWhenRunning(() => Log(harness, "removed"))!;
        harness.Reactor.CallWhenRunning(() =>
        {
            harness.Reactor.Stop();
            Assert.Null(harness.Reactor.CallWhenRunning(() => Log(harness, "at once")));
            Log(harness, "second");
        });
        harness.Reactor.RemoveSystemEventTrigger(removed);
        foreach (string eventName in new[] { SystemEvents.Startup, SystemEvents.Shutdown })
        {
            foreach (SystemEventPhase phase in Enum.GetValues<SystemEventPhase>())
            {
                harness.Reactor.AddSystemEventTrigger(phase, eventName, () => Log(harness, $"{phase} {eventName}"));
            }
        }

        await harness.RunAsync().WithDeadline();

        Assert.Equal(
            [
                "Before startup: False", "During startup: True", "first: True", "at once: True", "second: True", "After startup: True",
                "Before shutdown: True", "disconnected: False", "During shutdown: False", "After shutdown: False",
            ],
            _order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-09"), Contract("R-TIME-01")]
    public async Task Stop_FromDelayedCall_ShutsDownAfterWhatIsDue(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => _order.Add("shutdown"));
        harness.Reactor.CallWhenRunning(() =>
        {
            harness.Reactor.CallLater(TimeSpan.Zero, () =>
            {
                harness.Reactor.Stop();
                _order.Add("stopped");
            });
            harness.Reactor.CallLater(TimeSpan.Zero, () => _order.Add("due"));
        });

        await harness.RunAsync().WithDeadline();

        Assert.Equal(["stopped", "due", "shutdown"], _order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-11")]
    public async Task Run_Running_ThrowsAndOuterRunGoesOn(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        harness.Reactor.CallWhenRunning(() =>
        {
            Assert.Throws<ReactorAlreadyRunningException>(harness.Reactor.Run);
            started.SetResult();
        });

        Task run = harness.RunAsync();
        await started.Task.WithDeadline();
        Assert.Throws<ReactorAlreadyRunningException>(harness.Reactor.Run);
        await harness.Turn();
        Assert.False(run.IsCompleted);

        harness.Reactor.CallFromThread(harness.Reactor.Stop);
        await run.WithDeadline();
    }

    [Theory]
    [InlineData(LoopDriver.Epoll, SystemEventPhase.Before), InlineData(LoopDriver.Epoll, SystemEventPhase.After)]
    [InlineData(LoopDriver.Managed, SystemEventPhase.Before), InlineData(LoopDriver.Managed, SystemEventPhase.After)]
    [Contract("R-CORE-13"), Contract("R-CORE-14"), Contract("R-CORE-15")]
    public async Task Crash_FromStartupTrigger_EndsRunAndCanRunAgain(LoopDriver driver, SystemEventPhase phase)
    {
        Assert.SkipUnless(driver != LoopDriver.Epoll || OperatingSystem.IsLinux(), "epoll is Linux's.");
        using var pair = new SocketPair();
        await using var harness = new ReactorHarness(driver, start: false);
        var reader = new TestDescriptor(pair.Ours.SafeHandle);
        harness.Reactor.AddReader(reader);
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () => Log(harness, "shutdown"));
        for (int run = 0; run < 3; run++)
        {
            harness.Reactor.AddSystemEventTrigger(phase, SystemEvents.Startup, harness.Reactor.Crash);
            await harness.RunAsync().WithDeadline();
            Assert.False(harness.Reactor.Running);
            Assert.Throws<ReactorNotRunningException>(harness.Reactor.Stop);
        }

        Assert.Empty(_order);
        Assert.Empty(reader.Losses);
        harness.Reactor.CallWhenRunning(() => Log(harness, "started"));
        harness.Reactor.CallWhenRunning(harness.Reactor.Stop);
        await harness.RunAsync().WithDeadline();

        Assert.Equal(["started: True", "shutdown: True"], _order);
        Assert.Single(reader.Losses);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-13"), Contract("R-CORE-14")]
    public async Task Crash_FromDelayedCall_KeepsTheOthersForTheNextRun(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        harness.Reactor.CallLater(TimeSpan.Zero, () =>
        {
            harness.Reactor.Crash();
            harness.Reactor.CallLater(TimeSpan.Zero, () =>
            {
                Log(harness, "kept");
                harness.Reactor.Stop();
            });
        });

        await harness.RunAsync().WithDeadline();
        Assert.Single(harness.Reactor.GetDelayedCalls());
        Assert.Empty(_order);
        await harness.RunAsync().WithDeadline();

        Assert.Equal(["kept: True"], _order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-16")]
    public async Task Run_StartupWaits_TurnsWithoutRunningAndStopEndsIt(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        var gate = new TaskCompletionSource();
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, () => gate.Task);
        harness.Reactor.CallWhenRunning(() => Log(harness, "started"));
        harness.Reactor.CallLater(TimeSpan.FromMilliseconds(1), () =>
        {
            Log(harness, "timed call");
            gate.SetResult();
            harness.Reactor.Stop();
        });

        await harness.RunAsync().WithDeadline();

        Assert.Equal(["timed call: False", "started: True"], _order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-16")]
    public async Task Run_StoppedWhileStartupWaits_ReturnsWithoutHavingStarted(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        var gate = new TaskCompletionSource();
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Startup, () => gate.Task);
        harness.Reactor.CallWhenRunning(() => Log(harness, "started"));
        harness.Reactor.CallLater(TimeSpan.Zero, harness.Reactor.Stop);

        await harness.RunAsync().WithDeadline();
        gate.SetResult();

        Assert.Empty(_order);
        Assert.False(harness.Reactor.Running);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-20")]
    public async Task Stop_ShutdownTriggerReturnsTask_RunReturnsAfterIt(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        harness.Reactor.CallWhenRunning(harness.Reactor.Stop);
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, SystemEvents.Shutdown, () =>
        {
            var gate = new TaskCompletionSource();
            harness.Reactor.CallLater(TimeSpan.FromMilliseconds(1), () =>
            {
                Log(harness, "still turning");
                gate.SetResult();
            });
            return gate.Task;
        });
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, () => Log(harness, "after"));

        await harness.RunAsync().WithDeadline();

        Assert.Equal(["still turning: True", "after: False"], _order);
    }

    private void Log(ReactorHarness harness, string what) => _order.Add($"{what}: {harness.Reactor.Running}");
}
