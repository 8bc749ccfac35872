using LoopBridge.Deferreds;
using LoopBridge.Manual;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Deferreds;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Looping calls, by a clock that a test moves.</summary>
public sealed class LoopingCallTests
{
    private readonly ManualReactorClock _clock = new();
    private readonly List<double> _runs = [];

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private LoopingCall Recording() => new(_clock, () => _runs.Add(_clock.Time.TotalSeconds));

    [Fact, Contract("R-TASK-02")]
    public void Start_Now_RunsInsideTheCallAndThenEveryInterval()
    {
        LoopingCall loop = Recording();
        loop.Start(Seconds(1));
        Assert.Equal([0], _runs);

        _clock.Pump(Seconds(0.5), Seconds(0.5), Seconds(1));
        Assert.Equal([0, 1, 2], _runs);

        loop.Stop();
        _clock.Advance(Seconds(1));
        Assert.Equal(3, _runs.Count);
    }

    [Fact, Contract("R-TASK-03")]
    public void Start_NotNow_RunsFirstAfterAnInterval()
    {
        LoopingCall loop = Recording();
        loop.Start(Seconds(2), now: false);
        Assert.Empty(_runs);

        _clock.Pump(Seconds(1), Seconds(1), Seconds(2));

        Assert.Equal([2, 4], _runs);
    }

    [Fact, Contract("R-TASK-03"), Contract("R-TASK-10")]
    public void Stop_BeforeTheFirstRun_NeverRunsAndFires()
    {
        LoopingCall loop = Recording();
        Deferred<LoopingCall> ended = loop.Start(Seconds(2), now: false);

        loop.Stop();

        Assert.Same(loop, ended.ValueNow());
        Assert.Empty(_clock.GetDelayedCalls());
        Assert.Throws<ArgumentOutOfRangeException>(() => { loop.Start(Seconds(-1)); });
        Assert.False(loop.IsRunning);
        Assert.Empty(_runs);
    }

    [Fact, Contract("R-TASK-04")]
    public void Run_ThatTakesTooLong_SkipsTheMissedPlaces()
    {
        var loop = new LoopingCall(_clock, () =>
        {
            _runs.Add(_clock.Time.TotalSeconds);
            _clock.Advance(Seconds(0.75));
        });
        loop.Start(Seconds(0.5));

        // Each run of 0.75 s covers a place of the grid; the next free one is at a multiple of a whole second.
        _clock.Pump(Seconds(0.25), Seconds(0.25));

        Assert.Equal([0, 1, 2], _runs);
        Assert.Equal(Seconds(3), Assert.Single(_clock.GetDelayedCalls()).Time);
    }

    [Fact, Contract("R-TASK-04")]
    public void Reactor_ThatIsLate_SkipsTheMissedPlacesAndStaysOnTheGrid()
    {
        Recording().Start(Seconds(1), now: false);

        _clock.Pump(Seconds(3.5), Seconds(0.4), Seconds(0.1), Seconds(1));

        Assert.Equal([3.5, 4, 5], _runs);
    }

    [Fact, Contract("R-TASK-05")]
    public void WithCount_TellsThePlacesSinceTheLastRun()
    {
        var counts = new List<long>();
        LoopingCall.WithCount(_clock, counts.Add).Start(Seconds(1));

        _clock.Pump(Seconds(1), Seconds(2.3), Seconds(0.7), Seconds(5));

        Assert.Equal([1, 1, 2, 1, 5], counts);
    }

    [Fact, Contract("R-TASK-05")]
    public void WithCount_OverManyIntervalsThatNoFloatingPointNumberHolds_CountsEachOnce()
    {
        long total = 0;
        LoopingCall loop = LoopingCall.WithCount(_clock, count => total += count);
        loop.Start(Seconds(0.1), now: false);
        _clock.Pump(Enumerable.Repeat(Seconds(0.1), 1_000));
        Assert.Equal(1_000, total);

        var uneven = new LoopingCallGrid(Seconds(3), TimeSpan.FromTicks(3_333_333));
        Assert.Equal(TimeSpan.FromTicks(3_333_333), uneven.DelayAfter(Seconds(3)));
        Assert.Equal(TimeSpan.FromTicks(1), uneven.DelayAfter(Seconds(3) + TimeSpan.FromTicks((3_333_333L * 900_000_000) - 1)));
        Assert.Equal(900_000_000, uneven.CountBetween(Seconds(3), Seconds(3) + TimeSpan.FromTicks(3_333_333L * 900_000_000)));
    }

    [Fact, Contract("R-TASK-05")]
    public void WithCount_IntervalZero_IsToldOne()
    {
        var counts = new List<long>();
        LoopingCall loop = LoopingCall.WithCount(_clock, counts.Add);
        loop.Start(TimeSpan.Zero);

        _clock.Pump(TimeSpan.Zero, Seconds(5), TimeSpan.Zero);
        Assert.Equal([1, 1, 1, 1], counts);

        loop.Interval = Seconds(2);
        _clock.Pump(Seconds(1), Seconds(1), Seconds(4));
        Assert.Equal([1, 1, 1, 1, 1, 2], counts);
    }

    [Fact, Contract("R-TASK-05")]
    public void Interval_MadeLonger_ARunThatIsNoPlaceAnyMoreIsSkipped()
    {
        var counts = new List<long>();
        LoopingCall loop = LoopingCall.WithCount(_clock, counts.Add);
        loop.Start(Seconds(1));
        _clock.Advance(Seconds(1));

        loop.Interval = Seconds(10);
        _clock.Advance(Seconds(1));
        Assert.Equal([1, 1], counts);
        _clock.Advance(Seconds(8));

        Assert.Equal([1, 1, 1], counts);
    }

    [Fact, Contract("R-TASK-07"), Contract("R-TASK-05")]
    public void Run_ThatReturnsADeferred_IsWaitedForAndMissedPlacesAreSkipped()
    {
        var counts = new List<long>();
        var run = new Deferred<int>();
        LoopingCall loop = LoopingCall.WithCount(_clock, count =>
        {
            counts.Add(count);
            return run;
        });
        loop.Start(Seconds(1));
        _clock.Pump(Seconds(1), Seconds(2.5));
        Assert.Equal([1], counts);

        run.Callback(1);
        run = new Deferred<int>();
        Assert.Equal([1], counts);
        _clock.Advance(Seconds(0.5));

        Assert.Equal([1, 4], counts);
    }

    [Fact, Contract("R-TASK-07"), Contract("R-TASK-10")]
    public void Stop_InTheMiddleOfARun_FiresWhenThatHasEnded()
    {
        var run = new Deferred<int>();
        var loop = new LoopingCall(_clock, () => run);
        Deferred<LoopingCall> ended = loop.Start(Seconds(1));

        loop.Stop();
        Assert.False(ended.IsFired);
        Assert.Throws<InvalidOperationException>(() => { loop.Start(Seconds(1)); });
        run.Callback(1);

        Assert.Same(loop, ended.ValueNow());
        Assert.Empty(_clock.GetDelayedCalls());
    }

    [Fact, Contract("R-TASK-07")]
    public void Run_ThatReturnsATask_IsWaitedFor()
    {
        int runs = 0;
        var loop = new LoopingCall(_clock, async () =>
        {
            runs++;
            await Task.CompletedTask;
        });
        loop.Start(Seconds(1));

        _clock.Advance(Seconds(1));

        Assert.Equal(2, runs);
    }

    [Theory, Contract("R-TASK-08")]
    [InlineData(false)]
    [InlineData(true)]
    public void Failure_EndsItAndFailsTheDeferred(bool stopsItselfFirst)
    {
        var error = new FormatException();
        LoopingCall? loop = null;
        loop = new LoopingCall(_clock, StopAndThrow);
        Deferred<LoopingCall> ended = loop.Start(Seconds(1), now: false);

        _clock.Advance(Seconds(1));

        Assert.Same(error, ended.ErrorNow());
        Assert.False(loop.IsRunning);
        Assert.Empty(_clock.GetDelayedCalls());

        void StopAndThrow()
        {
            if (stopsItselfFirst)
                loop!.Stop();
            throw error;
        }
    }

    [Fact, Contract("R-TASK-08")]
    public void FailedDeferred_EndsItOnceAndLeavesNothingUnhandled()
    {
        var run = new Deferred<int>();
        var loop = new LoopingCall(_clock, () => run);
        Deferred<LoopingCall> ended = loop.Start(Seconds(1));

        run.Errback(new FormatException());

        Assert.IsType<FormatException>(ended.ErrorNow());
        Assert.Throws<InvalidOperationException>(loop.Stop);
    }

    [Fact, Contract("R-TASK-09")]
    public void Reset_SkipsThePendingRunAndCountsAFullInterval()
    {
        var counts = new List<long>();
        LoopingCall loop = LoopingCall.WithCount(_clock, counts.Add);
        loop.Start(Seconds(5), now: false);
        _clock.Advance(Seconds(4));

        loop.Reset();
        _clock.Advance(Seconds(4));
        Assert.Empty(counts);
        _clock.Pump(Seconds(1), Seconds(5));

        Assert.Equal([1, 1], counts);
        Assert.Equal(Seconds(19), Assert.Single(_clock.GetDelayedCalls()).Time);
    }

    [Fact, Contract("R-TASK-10")]
    public void StartAndStop_OutOfTurn_Throw()
    {
        LoopingCall loop = Recording();
        Assert.Throws<InvalidOperationException>(loop.Stop);
        Assert.Throws<InvalidOperationException>(loop.Reset);

        Deferred<LoopingCall> ended = loop.Start(Seconds(1));
        Assert.Throws<InvalidOperationException>(() => { loop.Start(Seconds(1)); });
        loop.Stop();
        Assert.Throws<InvalidOperationException>(loop.Stop);
        Assert.Same(loop, ended.ValueNow());

        Assert.False(loop.Start(Seconds(1)).IsFired);
    }

    [Fact, Contract("R-TASK-10")]
    public void Cancel_OfTheDeferred_StopsIt()
    {
        LoopingCall loop = Recording();
        Deferred<LoopingCall> ended = loop.Start(Seconds(1));

        ended.Cancel();

        Assert.IsType<DeferredCancelledException>(ended.ErrorNow());
        Assert.False(loop.IsRunning);
        Assert.Empty(_clock.GetDelayedCalls());
    }
}
