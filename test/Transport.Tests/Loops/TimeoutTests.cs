using System.Runtime.CompilerServices;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Deadlines: order, removal, extremes.</summary>
public sealed class TimeoutTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-01"), Contract("L-TIME-02")]
    public void CallLater_SeveralDelays_FireOnceInDeadlineOrderAndNotEarly(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        var fired = new List<int>();
        foreach (int delay in (int[])[15, 5, 10])
        {
            LoopTimeout? timeout = null;
            timeout = loop.CallLater(TimeSpan.FromMilliseconds(delay), state =>
            {
                Assert.True(loop.Time >= timeout!.Deadline);
                fired.Add((int)state!);
            }, delay);
            Assert.True(timeout.IsPending);
        }

        loop.ExceptionHandler = (e, _) => fired.Add(-1);
        loop.CallAt(loop.Time + TimeSpan.FromMilliseconds(20), loop.Stop);
        loop.StartBounded();
        Assert.Equal([5, 10, 15], fired);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-07")]
    public void CallAt_EqualDeadlines_RunInTheOrderAdded(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        var fired = new List<int>();
        TimeSpan deadline = loop.Time;
        for (int i = 0; i < 100; i++)
        {
            loop.CallAt(deadline, state => fired.Add((int)state!), i);
        }

        loop.RunTurns(1);
        Assert.Equal(Enumerable.Range(0, 100), fired);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-06")]
    public void CallAtAndLater_InThePast_FireNextTurnInDeadlineOrder(LoopDriver driver)
    {
        var clock = new ManualTimeProvider(TimeSpan.FromHours(1));
        using EventLoop loop = LoopTesting.NewLoop(driver, clock);
        var fired = new List<string>();
        loop.CallLater(TimeSpan.MinValue, () => fired.Add("negative is now"));
        loop.CallAt(TimeSpan.FromMinutes(2), () => fired.Add("2"));
        loop.CallAt(TimeSpan.FromMinutes(1), () => fired.Add("1"));
        loop.CallAt(TimeSpan.MinValue, () => fired.Add("0"));
        loop.RunTurns(0);
        Assert.Equal(["0", "1", "2", "negative is now"], fired);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-04")]
    public void RemoveTimeout_FromATimeoutOfTheSameTurn_DoesNotRun(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        var fired = new List<int>();
        LoopTimeout? second = null;
        TimeSpan deadline = loop.Time;
        loop.CallAt(deadline, () =>
        {
            fired.Add(1);
            loop.RemoveTimeout(second!);
        });
        second = loop.CallAt(deadline, () => fired.Add(2));
        loop.CallAt(deadline, () => fired.Add(3));
        loop.RunTurns(1);
        Assert.Equal([1, 3], fired);
        Assert.False(second.IsPending);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-03"), Contract("L-TIME-15")]
    public void RemoveTimeout_FiredRemovedOrClosed_IsHarmless(LoopDriver driver)
    {
        EventLoop loop = LoopTesting.NewLoop(driver);
        LoopTimeout fired = loop.CallLater(TimeSpan.Zero, static () => { });
        LoopTimeout removed = loop.CallLater(TimeSpan.Zero, static () => Assert.Fail("It was removed."));
        LoopTimeout left = loop.CallLater(TimeSpan.FromHours(1), static () => { });
        loop.RemoveTimeout(removed);
        loop.RunTurns(1);
        loop.RemoveTimeout(fired);
        loop.RemoveTimeout(removed);
        Assert.True(left.IsPending);
        loop.Dispose();
        Assert.False(left.IsPending);
        loop.RemoveTimeout(left);
        Assert.Throws<ObjectDisposedException>(() => loop.CallLater(TimeSpan.Zero, static () => { }));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void RemoveTimeout_OfAnotherLoop_ThrowsAndHarmsNeither(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        using EventLoop other = LoopTesting.NewLoop(driver);
        bool mine = false;
        bool theirs = false;
        loop.CallLater(TimeSpan.Zero, () => mine = true);
        LoopTimeout foreign = other.CallLater(TimeSpan.Zero, () => theirs = true);
        Assert.Throws<ArgumentException>(() => loop.RemoveTimeout(foreign));
        loop.RunTurns(1);
        other.RunTurns(1);
        Assert.True(mine);
        Assert.True(theirs);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-05")]
    public void RemoveTimeout_Thousands_LeaveNothingQueued(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        for (int i = 0; i < 20_000; i++)
        {
            loop.RemoveTimeout(loop.CallLater(TimeSpan.FromHours(1), static () => { }));
        }

        Assert.Equal(0, loop.GetStatistics().PendingTimeouts);
        bool fired = false;
        loop.CallLater(TimeSpan.Zero, () => fired = true);
        loop.RunTurns(1);
        Assert.True(fired);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-11"), Contract("L-INV-03")]
    public void Timeout_Throws_IsReportedAndOthersRun(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        var reported = new List<Exception>();
        loop.ExceptionHandler = (e, _) => reported.Add(e);
        var mine = new InvalidOperationException("mine");
        bool ran = false;
        loop.CallAt(TimeSpan.Zero, () => throw mine);
        loop.CallAt(TimeSpan.Zero, () => ran = true);
        loop.RunTurns(1);
        Assert.True(ran);
        Assert.Same(mine, Assert.Single(reported));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-12")]
    public async Task CallLater_ForEver_SleepsAndStillWakes(LoopDriver driver)
    {
        using var thread = new LoopThread(driver);
        bool fired = false;
        LoopTimeout timeout = await thread.Ask(() => thread.Loop.CallLater(TimeSpan.MaxValue, () => fired = true));
        await thread.Ask(() => thread.Loop.CallAt(TimeSpan.MaxValue, () => fired = true));
        Assert.Equal(2, thread.Loop.GetStatistics().PendingTimeouts);
        Assert.Equal(TimeSpan.MaxValue, timeout.Deadline);
        Assert.True(thread.Loop.GetStatistics().Turns < 10);
        Assert.False(fired);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-13")]
    public async Task CallLater_ManualClock_FiresOnlyWhenTheClockSaysSo(LoopDriver driver)
    {
        var clock = new ManualTimeProvider();
        using var thread = new LoopThread(driver, clock);
        bool fired = false;
        await thread.Ask(() => thread.Loop.CallLater(TimeSpan.FromHours(1), () => fired = true));
        clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        await thread.Ask(static () => true);
        Assert.False(await thread.Ask(() => fired));
        Assert.Equal(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1), thread.Loop.Time);
        clock.Advance(TimeSpan.FromTicks(1));
        await thread.Ask(static () => true);
        Assert.True(await thread.Ask(() => fired));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-TIME-14")]
    public void Timeout_FiredOrRemoved_ReleasesItsCallback(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        (LoopTimeout fired, WeakReference firedState) = Schedule(loop);
        (LoopTimeout removed, WeakReference removedState) = Schedule(loop);
        loop.RemoveTimeout(removed);
        loop.RunTurns(1);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.False(firedState.IsAlive);
        Assert.False(removedState.IsAlive);
        GC.KeepAlive(fired);
        GC.KeepAlive(removed);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (LoopTimeout Timeout, WeakReference State) Schedule(EventLoop loop)
    {
        object state = new();
        return (loop.CallLater(TimeSpan.Zero, static _ => { }, state), new WeakReference(state));
    }
}
