using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Manual;

namespace LoopBridge.Transport.Tests.Manual;

public sealed class ManualClockTests
{
    [Fact]
    public void Advance_EachTimeoutSeesItsOwnTime_AlsoOneAddedOnTheWay()
    {
        using var loop = new ManualLoop();
        List<double> seen = [];
        void See() => seen.Add(loop.Time.TotalSeconds);
        loop.CallLater(TimeSpan.FromSeconds(3), See);
        loop.CallLater(TimeSpan.FromSeconds(1), () =>
        {
            See();
            loop.CallLater(TimeSpan.FromSeconds(1), See);
        });
        loop.CallLater(TimeSpan.FromSeconds(10.5), See);
        loop.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal([1, 2, 3], seen);
        Assert.Equal(TimeSpan.FromSeconds(10), loop.Time);
        loop.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal([1, 2, 3, 10.5], seen);
    }

    [Fact]
    public void Advance_CallbacksOfATimeout_RunBeforeTheClockMovesOn()
    {
        using var loop = new ManualLoop();
        List<double> seen = [];
        loop.CallLater(TimeSpan.FromSeconds(1), () => loop.AddCallback(() => seen.Add(loop.Time.TotalSeconds)));
        loop.CallLater(TimeSpan.FromSeconds(2), () => seen.Add(loop.Time.TotalSeconds));
        loop.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([1, 2], seen);
    }

    [Fact]
    public void Advance_TurnsPerDeadlineAreLimited_NotTheWhole()
    {
        using var loop = new ManualLoop(new ManualLoopOptions { MaxTurns = 3 });
        int beats = 0;
        void Beat()
        {
            beats++;
            loop.CallLater(TimeSpan.FromSeconds(1), Beat);
        }

        Beat();
        loop.Advance(TimeSpan.FromSeconds(100));
        Assert.Equal(101, beats);
        void Again() => loop.CallLater(TimeSpan.Zero, Again);
        Again();
        Assert.Throws<ManualLoopStuckException>(() => loop.Advance(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void Advance_Stopped_LeavesTheClockWhereItWas()
    {
        using var loop = new ManualLoop();
        loop.CallLater(TimeSpan.FromSeconds(1), loop.Stop);
        loop.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(1), loop.Time);
        loop.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(TimeSpan.FromSeconds(5), loop.Time);
    }

    [Fact]
    public void Advance_Negative_Throws()
    {
        using var loop = new ManualLoop();
        Assert.Throws<ArgumentOutOfRangeException>(() => loop.Advance(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void TimeProvider_MovesWithTheLoop()
    {
        var start = new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
        using var loop = new ManualLoop(new ManualLoopOptions { StartTime = start });
        long before = loop.TimeProvider.GetTimestamp();
        loop.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(start.AddMinutes(1), loop.TimeProvider.GetUtcNow());
        Assert.Equal(TimeSpan.FromMinutes(1), loop.TimeProvider.GetElapsedTime(before));
        Assert.Equal(TimeSpan.Zero, loop.TimeProvider.LocalTimeZone.BaseUtcOffset);
    }

    [Fact]
    public void TimeProvider_TimersAndTimeouts_RunInTheOrderOfDeadlines()
    {
        using var loop = new ManualLoop();
        List<string> ran = [];
        using ITimer timer = loop.TimeProvider.CreateTimer(
            state => ran.Add($"{state} {loop.Time.TotalSeconds}"), "tick", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        loop.CallLater(TimeSpan.FromSeconds(2), () => ran.Add("timeout 2"));
        loop.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(["tick 1", "timeout 2", "tick 3"], ran);
        Assert.True(timer.Change(TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan));
        loop.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal("tick 7", ran[^1]);
        Assert.Equal(4, ran.Count);
        timer.Dispose();
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
        Assert.Equal(0, loop.PendingTimeouts);
    }

    [Fact]
    public void TimeProvider_ZeroDelay_FiresInATurnAndNotInTheCall()
    {
        using var loop = new ManualLoop();
        int fired = 0;
        using ITimer timer = loop.TimeProvider.CreateTimer(_ => fired++, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        Assert.Equal(0, fired);
        loop.RunTurn();
        Assert.Equal(1, fired);
    }

    [Fact]
    public void TimeProvider_CancellationOnAnotherThread_TakesTheTimerBack()
    {
        using var loop = new ManualLoop();
        using var cancellation = new CancellationTokenSource();
        Task delay = Task.Delay(TimeSpan.FromHours(1), loop.TimeProvider, cancellation.Token);
        Assert.Equal(1, loop.PendingTimeouts);
        var thread = new Thread(cancellation.Cancel);
        thread.Start();
        thread.Join();
        Assert.True(delay.IsCanceled);
        loop.RunUntilIdle();
        Assert.Equal(0, loop.PendingTimeouts);
    }

    [Fact]
    public void TimeProvider_PeriodicTimerAndTokenSource_FollowTheLoop()
    {
        using var loop = new ManualLoop();
        using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(3.5), loop.TimeProvider);
        List<double> ticks = [];
        Task beating = loop.Begin(async () =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), loop.TimeProvider);
            while (await timer.WaitForNextTickAsync(cancellation.Token))
            {
                ticks.Add(loop.Time.TotalSeconds);
            }
        });
        loop.Advance(TimeSpan.FromSeconds(10));
        Assert.True(beating.IsCanceled);
        Assert.Equal([1, 2, 3], ticks);
    }

    [Fact]
    public void Reactor_OnTheLoop_HasItsTime()
    {
        using var loop = new ManualLoop();
        ReactorOnLoop reactor = (ReactorOnLoop)loop.GetReactor();
        double called = 0;
        loop.AddCallback(() => reactor.CallLater(TimeSpan.FromSeconds(2), () => called = loop.Time.TotalSeconds));
        loop.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(2, called);
    }
}
