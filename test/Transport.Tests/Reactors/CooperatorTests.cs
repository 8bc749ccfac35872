using LoopBridge.Deferreds;
using LoopBridge.Manual;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Deferreds;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Work in small units, by a clock that stands still in a turn: each task gets one unit.</summary>
public sealed class CooperatorTests
{
    private readonly ManualReactorClock _clock = new();
    private readonly List<string> _units = [];

    private void Turn() => _clock.Advance(TimeSpan.Zero);

    private IEnumerable<Deferred?> Work(string name, int units, Deferred? wait = null)
    {
        try
        {
            for (int i = 0; i < units; i++)
            {
                _units.Add($"{name}{i}");
                yield return wait;
            }
        }
        finally
        {
            _units.Add($"{name}.");
        }
    }

    [Fact, Contract("R-TASK-13")]
    public void Tasks_ShareTurnsFairlyAndLeaveNothingScheduled()
    {
        var cooperator = new Cooperator(_clock);
        Deferred<Unit> a = cooperator.Coiterate(Work("a", 2));
        Deferred<Unit> b = cooperator.Coiterate(Work("b", 1));
        Assert.Empty(_units);

        Turn();
        Assert.Equal(["a0", "b0"], _units);
        Turn();
        Assert.Equal(["a0", "b0", "a1", "b."], _units);
        Assert.True(b.HasResult && !a.HasResult);
        Turn();

        Assert.True(a.HasResult);
        Assert.Empty(_clock.GetDelayedCalls());
    }

    [Fact, Contract("R-TASK-13")]
    public void TimeSlice_Over_TheNextTurnGoesOnWithTheNextTask()
    {
        var cooperator = new Cooperator(_clock, TimeSpan.FromMilliseconds(10));
        cooperator.Cooperate(Slow("a"));
        cooperator.Cooperate(Slow("b"));
        cooperator.Cooperate(Slow("c"));

        Turn();
        Assert.Equal(["a", "b"], _units);
        Turn();
        Assert.Equal(["a", "b", "c", "a"], _units);

        IEnumerable<Deferred?> Slow(string name)
        {
            while (true)
            {
                _units.Add(name);
                _clock.Advance(TimeSpan.FromMilliseconds(6));
                yield return null;
            }
        }
    }

    [Fact, Contract("R-TASK-13")]
    public void Deferred_ThatAUnitYields_IsWaitedForWithNothingScheduled()
    {
        var wait = new Deferred<int>();
        CooperativeTask task = new Cooperator(_clock).Cooperate(Work("a", 2, wait));
        Turn();
        Assert.Empty(_clock.GetDelayedCalls());

        wait.Callback(1);
        Assert.Equal(["a0"], _units);
        Turn();
        Turn();

        Assert.Equal(["a0", "a1", "a."], _units);
        Assert.True(task.WhenDone().HasResult);
    }

    [Theory, Contract("R-TASK-13")]
    [InlineData(true)]
    [InlineData(false)]
    public void FailedDeferred_ThatAUnitYields_FailsTheTask(bool fired)
    {
        var error = new FormatException();
        var wait = new Deferred<int>();
        if (fired)
        {
            wait.Errback(error);
        }

        CooperativeTask task = new Cooperator(_clock).Cooperate(Work("a", 2, wait));
        Deferred<Unit>[] done = [task.WhenDone(), task.WhenDone()];
        Turn();
        if (!fired)
        {
            wait.Errback(error);
        }

        Assert.All(done, each => Assert.Same(error, each.ErrorNow()));
        Assert.Same(error, task.WhenDone().ErrorNow());
        Assert.Equal(["a0", "a."], _units);
        Assert.Empty(_clock.GetDelayedCalls());
    }

    [Fact, Contract("R-TASK-13")]
    public void Unit_ThatThrows_FailsTheTaskAndNoOther()
    {
        var cooperator = new Cooperator(_clock);
        Deferred<Unit> failing = cooperator.Coiterate(Failing());
        Deferred<Unit> other = cooperator.Coiterate(Work("a", 1));

        Turn();
        Turn();

        Assert.IsType<FormatException>(failing.ErrorNow());
        Assert.True(other.HasResult);

        static IEnumerable<Deferred?> Failing()
        {
            yield return Deferred.Succeed(1);
            throw new FormatException();
        }
    }

    [Fact, Contract("R-TASK-13")]
    public void Pause_HoldsTheTaskUntilResumedAsOften()
    {
        CooperativeTask task = new Cooperator(_clock).Cooperate(Work("a", 1));
        task.Pause();
        task.Pause();
        task.Resume();
        Turn();
        Assert.Empty(_units);
        Assert.Empty(_clock.GetDelayedCalls());

        task.Resume();
        Turn();
        Assert.Equal(["a0"], _units);
        Assert.Throws<InvalidOperationException>(task.Resume);
    }

    [Fact, Contract("R-TASK-13")]
    public void PausedWhileItWaits_GoesOnWhenBothAreOver()
    {
        var wait = new Deferred<int>();
        CooperativeTask task = new Cooperator(_clock).Cooperate(Work("a", 2, wait));
        Turn();
        task.Pause();
        task.Resume();
        Turn();
        Assert.Equal(["a0"], _units);

        task.Pause();
        wait.Callback(1);
        Turn();
        Assert.Equal(["a0"], _units);
        task.Resume();
        Turn();
        Assert.Equal(["a0", "a1"], _units);
    }

    [Fact, Contract("R-TASK-13")]
    public void Stop_EndsTheTaskOnce()
    {
        CooperativeTask task = new Cooperator(_clock).Cooperate(Work("a", 5));
        Deferred<Unit> done = task.WhenDone();
        Turn();

        task.Stop();

        Assert.IsType<CooperativeTaskStoppedException>(done.ErrorNow());
        Assert.True(task.IsDone);
        Assert.Equal(["a0", "a."], _units);
        Assert.Empty(_clock.GetDelayedCalls());
        Assert.Throws<CooperativeTaskFinishedException>(task.Stop);
        Assert.Throws<CooperativeTaskFinishedException>(task.Pause);
    }

    [Fact, Contract("R-TASK-13")]
    public void Stop_FromTheTasksOwnUnit_RunsItsFinallyAfterTheUnit()
    {
        CooperativeTask? task = null;
        task = new Cooperator(_clock).Cooperate(StopsItself());
        Deferred<Unit> done = task.WhenDone();

        Turn();

        Assert.IsType<CooperativeTaskStoppedException>(done.ErrorNow());
        Assert.Equal(["stopped", "finally"], _units);
        Assert.Empty(_clock.GetDelayedCalls());

        IEnumerable<Deferred?> StopsItself()
        {
            try
            {
                task!.Stop();
                _units.Add("stopped");
                yield return null;
                _units.Add("never");
            }
            finally
            {
                _units.Add("finally");
            }
        }
    }

    [Fact, Contract("R-TASK-13")]
    public void CooperatorStop_EndsItsTasksAndRefusesNewOnesUntilItIsStarted()
    {
        var cooperator = new Cooperator(_clock);
        Deferred<Unit> a = cooperator.Coiterate(Work("a", 5));
        cooperator.Stop();
        Deferred<Unit> b = cooperator.Coiterate(Work("b", 5));

        Assert.IsType<CooperatorStoppedException>(a.ErrorNow());
        Assert.IsType<CooperatorStoppedException>(b.ErrorNow());
        Assert.False(cooperator.IsRunning);
        Assert.Empty(_clock.GetDelayedCalls());

        cooperator.Start();
        Deferred<Unit> c = cooperator.Coiterate(Work("c", 1));
        Turn();
        Turn();
        Assert.True(c.HasResult);
    }

    [Fact, Contract("R-TASK-13")]
    public void Cooperator_NotStarted_KeepsTasksUntilItIs()
    {
        var cooperator = new Cooperator(_clock, started: false);
        cooperator.Cooperate(Work("a", 1));
        Turn();
        Assert.Empty(_units);
        Assert.Empty(_clock.GetDelayedCalls());

        cooperator.Start();
        cooperator.Start();
        Assert.Single(_clock.GetDelayedCalls());
        Turn();
        Assert.Equal(["a0"], _units);
    }

    [Fact, Contract("R-TASK-13")]
    public void Coiterate_FromTheEndOfAnother_GetsItsTurn()
    {
        var cooperator = new Cooperator(_clock);
        Deferred<Unit> second = cooperator.Coiterate(Work("a", 1)).AddCallback(_ => cooperator.Coiterate(Work("b", 1)));

        for (int i = 0; i < 4; i++)
        {
            Turn();
        }

        Assert.True(second.HasResult);
        Assert.Equal(["a0", "a.", "b0", "b."], _units);
    }
}
