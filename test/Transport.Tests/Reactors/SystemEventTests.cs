using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>The three-phase machine, fired by hand on the test's own thread: no turn is needed for it.</summary>
public sealed class SystemEventTests
{
    private const string Name = "test";

    private readonly List<string> _order = [];

    [Fact]
    [Contract("R-CORE-18")]
    public async Task Fire_AllPhases_RunInOrder()
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);
        Add(harness, SystemEventPhase.After, "after");
        Add(harness, SystemEventPhase.During, "during");
        Add(harness, SystemEventPhase.Before, "before 1");
        Add(harness, SystemEventPhase.Before, "before 2");

        harness.Reactor.FireSystemEvent(Name);
        harness.Reactor.FireSystemEvent("unknown");

        Assert.Equal(["before 1", "before 2", "during", "after"], _order);
    }

    [Fact]
    [Contract("R-CORE-19")]
    public async Task Add_UndefinedPhase_Throws()
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);

        Assert.Throws<ArgumentOutOfRangeException>(() => Add(harness, (SystemEventPhase)3, "never"));
        Assert.Throws<ArgumentOutOfRangeException>(() => Add(harness, (SystemEventPhase)(-1), "never"));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-20")]
    public async Task Fire_BeforeReturnsTasks_DuringStartsInCompletionOfTheLast(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();

        await harness.On(() =>
        {
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => first.Task);
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () =>
            {
                first.SetResult(); // all of the phase run nonetheless
                return second.Task;
            });
            Add(harness, SystemEventPhase.Before, "before");
            Add(harness, SystemEventPhase.During, "during");
            harness.Reactor.FireSystemEvent(Name);
            Assert.Equal(["before"], _order);
            second.SetResult();
            Assert.Equal(["before", "during"], _order);
        });
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-20"), Contract("R-INV-01")]
    public async Task Fire_TaskEndsElsewhere_DuringRunsOnReactorThread(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var gate = new TaskCompletionSource();
        var during = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await harness.On(() =>
        {
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => gate.Task);
            harness.Reactor.AddSystemEventTrigger(
                SystemEventPhase.During, Name, () => during.SetResult(harness.Reactor.IsInReactorThread));
            harness.Reactor.FireSystemEvent(Name);
        });

        gate.SetResult();

        Assert.True(await during.Task.WithDeadline());
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-21")]
    public async Task Fire_BeforeTaskFails_IsReportedAndTheRestRuns(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);

        await harness.On(() =>
        {
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => Task.FromException(new InvalidDataException()));
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => Task.FromCanceled(new CancellationToken(true)));
            Add(harness, SystemEventPhase.During, "during");
            harness.Reactor.FireSystemEvent(Name);
        });

        Assert.Equal(["during"], _order);
        Exception[] errors = harness.TakeErrors();
        Assert.Equal(2, errors.Length);
        Assert.IsType<InvalidDataException>(errors[0]);
        Assert.IsType<TaskCanceledException>(errors[1]);
    }

    [Theory, InlineData(SystemEventPhase.Before), InlineData(SystemEventPhase.During), InlineData(SystemEventPhase.After)]
    [Contract("R-CORE-22"), Contract("R-INV-02")]
    public async Task Fire_TriggerThrows_IsReportedAndOthersRun(SystemEventPhase phase)
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);
        harness.Reactor.AddSystemEventTrigger(phase, Name, (Action)(() => throw new InvalidDataException()));
        Add(harness, phase, "same phase");
        Add(harness, SystemEventPhase.After, "after");

        harness.Reactor.FireSystemEvent(Name);

        Assert.IsType<InvalidDataException>(Assert.Single(harness.TakeErrors()));
        Assert.Equal(["same phase", "after"], _order);
    }

    [Fact]
    [Contract("R-CORE-23"), Contract("R-CORE-24"), Contract("R-CORE-25")]
    public async Task Remove_Registered_TakesExactlyThatOneOnce()
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);
        await using var other = new ReactorHarness(LoopDriver.Auto, start: false);
        Action same = () => _order.Add("same");
        SystemEventTrigger first = harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, same);
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, same);

        harness.Reactor.RemoveSystemEventTrigger(first);
        Assert.Throws<ArgumentException>(() => harness.Reactor.RemoveSystemEventTrigger(first));
        Assert.Throws<ArgumentException>(() => harness.Reactor.RemoveSystemEventTrigger(Add(other, SystemEventPhase.Before, "foreign")));
        harness.Reactor.FireSystemEvent(Name);

        Assert.Equal(["same"], _order);
    }

    [Theory, InlineData(SystemEventPhase.Before), InlineData(SystemEventPhase.During)]
    [Contract("R-CORE-25")]
    public async Task Remove_FromTrigger_LaterOneDoesNotRun(SystemEventPhase phase)
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);
        SystemEventTrigger? later = null;
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => harness.Reactor.RemoveSystemEventTrigger(later!));
        later = Add(harness, phase, "removed");
        Add(harness, phase, "kept");

        harness.Reactor.FireSystemEvent(Name);

        Assert.Equal(["kept"], _order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-CORE-25"), Contract("R-CORE-27")]
    public async Task AddAndRemove_WhileEventWaits_CountForThatFiring(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var gate = new TaskCompletionSource();

        await harness.On(() =>
        {
            harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => gate.Task);
            SystemEventTrigger during = Add(harness, SystemEventPhase.During, "removed");
            harness.Reactor.FireSystemEvent(Name);
            Add(harness, SystemEventPhase.Before, "late before");
            Add(harness, SystemEventPhase.During, "late during");
            harness.Reactor.RemoveSystemEventTrigger(during);
            gate.SetResult();
        });

        Assert.Equal(["late before", "late during"], _order);
    }

    [Fact]
    [Contract("R-CORE-26")]
    public async Task Remove_BeforeTriggerThatRan_IsRefusedOnlyAfterThePhase()
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);
        SystemEventTrigger ran = Add(harness, SystemEventPhase.Before, "ran");
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => harness.Reactor.RemoveSystemEventTrigger(ran));
        harness.Reactor.AddSystemEventTrigger(
            SystemEventPhase.During, Name, () => Assert.Throws<ArgumentException>(() => harness.Reactor.RemoveSystemEventTrigger(ran)));
        Add(harness, SystemEventPhase.After, "after");

        harness.Reactor.FireSystemEvent(Name);

        Assert.Equal(["ran", "after"], _order);
    }

    [Fact]
    [Contract("R-CORE-27")]
    public async Task Fire_Again_RunsOnlyWhatWasAddedSince()
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.During, Name, () =>
        {
            _order.Add("first");
            Add(harness, SystemEventPhase.During, "added to the running phase");
            Add(harness, SystemEventPhase.Before, "added to a past phase");
        });

        harness.Reactor.FireSystemEvent(Name);
        _order.Add("-");
        harness.Reactor.FireSystemEvent(Name);

        Assert.Equal(["first", "added to the running phase", "-", "added to a past phase"], _order);
    }

    [Fact]
    [Contract("R-CORE-28")]
    public async Task Fire_OneInsideTheOther_BothComplete()
    {
        await using var harness = new ReactorHarness(LoopDriver.Auto, start: false);
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.During, Name, () => harness.Reactor.FireSystemEvent("inner"));
        Add(harness, SystemEventPhase.After, "outer after");
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, "inner", () => _order.Add("inner before"));
        harness.Reactor.AddSystemEventTrigger(SystemEventPhase.After, "inner", () => _order.Add("inner after"));

        harness.Reactor.FireSystemEvent(Name);

        Assert.Equal(["inner before", "inner after", "outer after"], _order);
    }

    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    private SystemEventTrigger Add(ReactorHarness harness, SystemEventPhase phase, string what)
        => harness.Reactor.AddSystemEventTrigger(phase, Name, () => _order.Add(what));
}
