using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>The three-phase machine, fired by hand on the test's own thread: no turn is needed for it.</summary>
public sealed class SystemEventTests : ReactorContract
{
    private const string Name = "test";

    private readonly List<string> _order = [];

    [Theory, ReactorStacks]
    [Contract("R-CORE-18")]
    public void Fire_AllPhases_RunInOrder(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        Add(reactor, SystemEventPhase.After, "after");
        Add(reactor, SystemEventPhase.During, "during");
        Add(reactor, SystemEventPhase.Before, "before 1");
        Add(reactor, SystemEventPhase.Before, "before 2");

        reactor.FireSystemEvent(Name);
        reactor.FireSystemEvent("unknown");

        Assert.Equal(["before 1", "before 2", "during", "after"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-19")]
    public void Add_UndefinedPhase_Throws(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);

        Assert.Throws<ArgumentOutOfRangeException>(() => Add(reactor, (SystemEventPhase)3, "never"));
        Assert.Throws<ArgumentOutOfRangeException>(() => Add(reactor, (SystemEventPhase)(-1), "never"));
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-20")]
    public async Task Fire_BeforeReturnsTasks_DuringStartsInCompletionOfTheLast(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();

        await thread.Do(() =>
        {
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => first.Task);
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () =>
            {
                first.SetResult(); // all of the phase run nonetheless
                return second.Task;
            });
            Add(thread.Reactor, SystemEventPhase.Before, "before");
            Add(thread.Reactor, SystemEventPhase.During, "during");
            thread.Reactor.FireSystemEvent(Name);
            Assert.Equal(["before"], _order);
            second.SetResult();
            Assert.Equal(["before", "during"], _order);
        });
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-20"), Contract("R-INV-01")]
    public async Task Fire_TaskEndsElsewhere_DuringRunsOnReactorThread(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var gate = new TaskCompletionSource();
        var during = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() =>
        {
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => gate.Task);
            thread.Reactor.AddSystemEventTrigger(
                SystemEventPhase.During, Name, () => during.SetResult(thread.Reactor.IsInReactorThread));
            thread.Reactor.FireSystemEvent(Name);
        });

        gate.SetResult();

        Assert.True(await during.Task.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-21")]
    public async Task Fire_BeforeTaskFails_IsReportedAndTheRestRuns(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);

        await thread.Do(() =>
        {
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => Task.FromException(new InvalidDataException()));
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => Task.FromCanceled(new CancellationToken(true)));
            Add(thread.Reactor, SystemEventPhase.During, "during");
            thread.Reactor.FireSystemEvent(Name);
        });

        Assert.Equal(["during"], _order);
        Exception[] errors = TakeErrors();
        Assert.Equal(2, errors.Length);
        Assert.IsType<InvalidDataException>(errors[0]);
        Assert.IsType<TaskCanceledException>(errors[1]);
    }

    [Theory, ReactorStacks(SystemEventPhase.Before, SystemEventPhase.During, SystemEventPhase.After)]
    [Contract("R-CORE-22"), Contract("R-INV-02")]
    public void Fire_TriggerThrows_IsReportedAndOthersRun(ReactorStack stack, SystemEventPhase phase)
    {
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(phase, Name, (Action)(() => throw new InvalidDataException()));
        Add(reactor, phase, "same phase");
        Add(reactor, SystemEventPhase.After, "after");

        reactor.FireSystemEvent(Name);

        Assert.IsType<InvalidDataException>(Assert.Single(TakeErrors()));
        Assert.Equal(["same phase", "after"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-23"), Contract("R-CORE-24"), Contract("R-CORE-25")]
    public void Remove_Registered_TakesExactlyThatOneOnce(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        IReactor other = NewReactor(stack);
        Action same = () => _order.Add("same");
        SystemEventTrigger first = reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, same);
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, same);

        reactor.RemoveSystemEventTrigger(first);
        Assert.Throws<ArgumentException>(() => reactor.RemoveSystemEventTrigger(first));
        Assert.Throws<ArgumentException>(() => reactor.RemoveSystemEventTrigger(Add(other, SystemEventPhase.Before, "foreign")));
        reactor.FireSystemEvent(Name);

        Assert.Equal(["same"], _order);
    }

    [Theory, ReactorStacks(SystemEventPhase.Before, SystemEventPhase.During)]
    [Contract("R-CORE-25")]
    public void Remove_FromTrigger_LaterOneDoesNotRun(ReactorStack stack, SystemEventPhase phase)
    {
        IReactor reactor = NewReactor(stack);
        SystemEventTrigger? later = null;
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => reactor.RemoveSystemEventTrigger(later!));
        later = Add(reactor, phase, "removed");
        Add(reactor, phase, "kept");

        reactor.FireSystemEvent(Name);

        Assert.Equal(["kept"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-25"), Contract("R-CORE-27")]
    public async Task AddAndRemove_WhileEventWaits_CountForThatFiring(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var gate = new TaskCompletionSource();

        await thread.Do(() =>
        {
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => gate.Task);
            SystemEventTrigger during = Add(thread.Reactor, SystemEventPhase.During, "removed");
            thread.Reactor.FireSystemEvent(Name);
            Add(thread.Reactor, SystemEventPhase.Before, "late before");
            Add(thread.Reactor, SystemEventPhase.During, "late during");
            thread.Reactor.RemoveSystemEventTrigger(during);
            gate.SetResult();
        });

        Assert.Equal(["late before", "late during"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-26")]
    public void Remove_BeforeTriggerThatRan_IsRefusedOnlyAfterThePhase(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        SystemEventTrigger ran = Add(reactor, SystemEventPhase.Before, "ran");
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, Name, () => reactor.RemoveSystemEventTrigger(ran));
        reactor.AddSystemEventTrigger(
            SystemEventPhase.During, Name, () => Assert.Throws<ArgumentException>(() => reactor.RemoveSystemEventTrigger(ran)));
        Add(reactor, SystemEventPhase.After, "after");

        reactor.FireSystemEvent(Name);

        Assert.Equal(["ran", "after"], _order);
        Log.TakeSingle(LogLevel.Warning);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-27")]
    public void Fire_Again_RunsOnlyWhatWasAddedSince(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(SystemEventPhase.During, Name, () =>
        {
            _order.Add("first");
            Add(reactor, SystemEventPhase.During, "added to the running phase");
            Add(reactor, SystemEventPhase.Before, "added to a past phase");
        });

        reactor.FireSystemEvent(Name);
        _order.Add("-");
        reactor.FireSystemEvent(Name);

        Assert.Equal(["first", "added to the running phase", "-", "added to a past phase"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-28")]
    public void Fire_OneInsideTheOther_BothComplete(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.AddSystemEventTrigger(SystemEventPhase.During, Name, () => reactor.FireSystemEvent("inner"));
        Add(reactor, SystemEventPhase.After, "outer after");
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, "inner", () => _order.Add("inner before"));
        reactor.AddSystemEventTrigger(SystemEventPhase.After, "inner", () => _order.Add("inner after"));

        reactor.FireSystemEvent(Name);

        Assert.Equal(["inner before", "inner after", "outer after"], _order);
    }

    [Theory, ReactorStacks]
    [Contract("R-CORE-28")]
    public async Task Fire_InnerEventWaits_OuterCompletesWithoutIt(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var gate = new TaskCompletionSource();

        await thread.Do(() =>
        {
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.During, Name, () => thread.Reactor.FireSystemEvent("inner"));
            Add(thread.Reactor, SystemEventPhase.After, "outer after");
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.Before, "inner", () => gate.Task);
            thread.Reactor.AddSystemEventTrigger(SystemEventPhase.After, "inner", () => _order.Add("inner after"));
            thread.Reactor.FireSystemEvent(Name);
            Assert.Equal(["outer after"], _order);
            gate.SetResult();
        });

        Assert.Equal(["outer after", "inner after"], _order);
    }

    private SystemEventTrigger Add(IReactor reactor, SystemEventPhase phase, string what)
        => reactor.AddSystemEventTrigger(phase, Name, () => _order.Add(what));
}
