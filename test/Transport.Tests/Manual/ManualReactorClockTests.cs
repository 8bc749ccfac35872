using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Manual;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Manual;

public sealed class ManualReactorClockTests
{
    private readonly ManualReactorClock _clock = new();
    private readonly List<string> _order = [];

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private IDelayedCall Later(double seconds, string name) => _clock.CallLater(Seconds(seconds), () => _order.Add(name));

    [Fact, Contract("R-TASK-01")]
    public void Advance_RunsWhatIsDueInTheOrderOfDeadlinesThenOfScheduling()
    {
        Later(3, "c");
        Later(1, "a");
        Later(2, "b1");
        Later(2, "b2");
        _clock.CallAt(Seconds(2.5), _ => _order.Add("b3"), null);
        Later(3.5, "later");

        _clock.Advance(Seconds(3));

        Assert.Equal(["a", "b1", "b2", "b3", "c"], _order);
        Assert.Equal(Seconds(3), _clock.Time);
        Assert.Throws<ArgumentOutOfRangeException>(() => _clock.Advance(Seconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Later(-1, "never"));
    }

    [Fact, Contract("R-TASK-01")]
    public void GetDelayedCalls_ShowsThePendingOnesInOrderAfterAnyMove()
    {
        Assert.Empty(_clock.GetDelayedCalls());
        IDelayedCall a = Later(1, "a");
        IDelayedCall b = Later(2, "b");
        IDelayedCall c = Later(3, "c");
        IDelayedCall cancelled = Later(3, "cancelled");
        cancelled.Cancel();
        Assert.Equal([a, b, c], _clock.GetDelayedCalls());

        a.Reset(Seconds(10));
        c.Delay(Seconds(-2));
        Assert.Equal([c, b, a], _clock.GetDelayedCalls());
        Assert.Equal((Seconds(1), Seconds(10)), (c.Time, a.Time));

        _clock.Advance(Seconds(10));
        Assert.Equal(["c", "b", "a"], _order);
    }

    [Fact, Contract("R-TASK-01")]
    public void Reset_InsideACall_KeepsTheOrder()
    {
        IDelayedCall moved = Later(2, "moved");
        _clock.CallLater(Seconds(1), () =>
        {
            _order.Add("mover");
            moved.Reset(Seconds(3));
        });
        IDelayedCall other = Later(3, "other");

        _clock.Advance(Seconds(1));
        Assert.Equal([other, moved], _clock.GetDelayedCalls());
        _clock.Advance(Seconds(3));

        Assert.Equal(["mover", "other", "moved"], _order);
    }

    [Fact, Contract("R-TASK-01")]
    public void CallLater_InsideACall_WaitsForTheNextPass()
    {
        _clock.CallLater(TimeSpan.Zero, () =>
        {
            _order.Add("call");
            Later(0, "its call");
        });
        IDelayedCall due = Later(0, "due with it");
        _clock.CallLater(TimeSpan.Zero, () => due.Active.ToString());

        _clock.Advance(TimeSpan.Zero);
        Assert.Equal(["call", "due with it"], _order);
        _clock.Advance(TimeSpan.Zero);
        Assert.Equal(["call", "due with it", "its call"], _order);
    }

    [Fact, Contract("R-TASK-01")]
    public void Call_ThatTakesTime_MovesTheClockAndRunsNothingInBetween()
    {
        _clock.CallLater(Seconds(1), () =>
        {
            _clock.Advance(Seconds(5));
            _order.Add("slow");
        });
        Later(3, "meanwhile");

        _clock.Advance(Seconds(1));
        Assert.Equal(["slow"], _order);
        Assert.Equal(Seconds(6), _clock.Time);
        _clock.Pump(TimeSpan.Zero);
        Assert.Equal(["slow", "meanwhile"], _order);
    }

    [Fact, Contract("R-TASK-01")]
    public void Call_CancelledByOneDueWithIt_DoesNotRun()
    {
        IDelayedCall? second = null;
        IDelayedCall first = _clock.CallLater(Seconds(1), () => second!.Cancel());
        second = Later(1, "never");

        _clock.Advance(Seconds(1));

        Assert.Empty(_order);
        Assert.False(first.Active || second.Active);
        Assert.Throws<DelayedCallAlreadyCalledException>(first.Cancel);
        Assert.Throws<DelayedCallAlreadyCalledException>(() => first.Reset(Seconds(1)));
        Assert.Throws<DelayedCallAlreadyCancelledException>(second.Cancel);
        Assert.Throws<DelayedCallAlreadyCancelledException>(() => second.Delay(Seconds(1)));
    }

    [Fact, Contract("R-TASK-01")]
    public void CallLater_ForEver_IsAcceptedAndNeverComes()
    {
        _clock.Advance(Seconds(1));
        IDelayedCall distant = _clock.CallLater(TimeSpan.MaxValue, () => _order.Add("never"));
        distant.Delay(Seconds(1));
        _clock.Advance(TimeSpan.FromDays(10_000));

        Assert.True(distant.Active);
        Assert.Equal(TimeSpan.MaxValue, distant.Time);
        Assert.Empty(_order);
    }

    [Fact, Contract("R-TASK-01")]
    public void Call_ThatThrows_LetsTheOthersRunAndThrowsAtTheEnd()
    {
        _clock.RecordSchedulingSites = true;
        _clock.CallLater(Seconds(1), () => throw new FormatException());
        Later(1, "other");

        var error = Assert.Throws<FormatException>(() => _clock.Advance(Seconds(1)));
        Assert.Equal(["other"], _order);
        Assert.Contains(nameof(Call_ThatThrows_LetsTheOthersRunAndThrowsAtTheEnd), error.Data["SchedulingSite"]!.ToString(),
            StringComparison.Ordinal);

        _clock.CallLater(Seconds(1), () => throw new FormatException());
        _clock.CallLater(Seconds(1), () => throw new InvalidOperationException());
        Assert.Equal(2, Assert.Throws<AggregateException>(() => _clock.Advance(Seconds(1))).InnerExceptions.Count);
    }

    [Fact, Contract("R-TASK-01")]
    public void AsTheClockOfAStack_MovesEveryLayer()
    {
        using var loop = new EventLoop(new EventLoopOptions { Driver = LoopDriver.Managed, TimeProvider = _clock });
        using var reactor = new ReactorOnLoop(loop);
        reactor.CallLater(Seconds(60), () =>
        {
            _order.Add("due");
            reactor.Crash();
        });
        Assert.Equal(_clock.Time, reactor.Time);

        _clock.Advance(Seconds(60));
        reactor.RunBounded();

        Assert.Equal(["due"], _order);
    }

    [Fact, Contract("R-TASK-01")]
    public async Task AsATimeProvider_ItsTimersAreDelayedCalls()
    {
        Task delay = Task.Delay(Seconds(5), _clock, TestContext.Current.CancellationToken);
        int ticks = 0;
        ITimer periodic = _clock.CreateTimer(_ => ticks++, null, Seconds(1), Seconds(2));
        Assert.Equal(2, _clock.GetDelayedCalls().Count);

        _clock.Pump(Enumerable.Repeat(Seconds(1), 5));
        await delay.WithDeadline();
        Assert.Equal(3, ticks);
        Assert.True(periodic.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _clock.Advance(Seconds(5));
        await periodic.DisposeAsync();

        Assert.Equal(3, ticks);
        Assert.False(periodic.Change(TimeSpan.Zero, TimeSpan.Zero));
        Assert.Equal(new DateTimeOffset(2000, 1, 1, 0, 0, 10, TimeSpan.Zero), _clock.GetUtcNow());
    }
}
