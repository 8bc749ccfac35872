using System.Runtime.CompilerServices;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Deadlines: order, removal, extremes.</summary>
public sealed class TimeoutTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-TIME-01"), Contract("L-TIME-02")]
    public void CallLater_SeveralDelays_FireOnceInDeadlineOrderAndNotEarly(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var fired = new List<int>();
        var timeouts = new Dictionary<int, LoopTimeout>();
        foreach (int delay in (int[])[15, 5, 10])
        {
            TimeSpan before = loop.Time;
            timeouts[delay] = loop.CallLater(TimeSpan.FromMilliseconds(delay), state =>
            {
                Assert.True(loop.Time >= timeouts[(int)state!].Deadline);
                fired.Add((int)state!);
            }, delay);
            Assert.InRange(timeouts[delay].Deadline, before + TimeSpan.FromMilliseconds(delay), loop.Time + TimeSpan.FromMilliseconds(delay));
            Assert.True(timeouts[delay].IsPending);
        }

        loop.ExceptionHandler = (e, _) => fired.Add(-1);
        loop.CallAt(timeouts.Values.Max(static timeout => timeout.Deadline), loop.Stop);
        loop.StartBounded();

        // As a rule 5, 10, 15; but the machine may have stood still between two of the calls.
        Assert.Equal(timeouts.OrderBy(static entry => entry.Value.Deadline).Select(static entry => entry.Key), fired);
    }

    [Theory, LoopStacks]
    [Contract("L-TIME-07")]
    public void CallAt_EqualDeadlines_RunInTheOrderAdded(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var fired = new List<int>();
        TimeSpan deadline = loop.Time;
        for (int i = 0; i < 100; i++)
        {
            loop.CallAt(deadline, state => fired.Add((int)state!), i);
        }

        loop.RunTurns(1);
        Assert.Equal(Enumerable.Range(0, 100), fired);
    }

    [Theory, LoopStacks]
    [Contract("L-TIME-06")]
    public void CallAtAndLater_InThePast_FireNextTurnInDeadlineOrder(LoopStack stack)
    {
        var clock = new ManualTimeProvider(TimeSpan.FromHours(1));
        IEventLoop loop = NewLoop(stack, clock);
        var fired = new List<string>();
        loop.CallLater(TimeSpan.MinValue, () => fired.Add("negative is now"));
        loop.CallAt(TimeSpan.FromMinutes(2), () => fired.Add("2"));
        loop.CallAt(TimeSpan.FromMinutes(1), () => fired.Add("1"));
        loop.CallAt(TimeSpan.MinValue, () => fired.Add("0"));
        loop.RunTurns(0);
        Assert.Equal(["0", "1", "2", "negative is now"], fired);
    }

    [Theory, LoopStacks]
    [Contract("L-TIME-04")]
    public void RemoveTimeout_FromATimeoutOfTheSameTurn_DoesNotRun(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
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

    [Theory, LoopStacks]
    [Contract("L-TIME-03"), Contract("L-TIME-15")]
    public void RemoveTimeout_FiredRemovedOrClosed_IsHarmless(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
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

    [Theory, LoopStacks]
    public void RemoveTimeout_OfAnotherLoop_ThrowsAndHarmsNeither(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        IEventLoop other = NewLoop(stack);
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

    [Theory, LoopStacks]
    [Contract("L-TIME-05")]
    public void RemoveTimeout_Thousands_LeaveNothingBehind(LoopStack stack)
    {
        const int Rounds = 100_000;
        IEventLoop loop = NewLoop(stack);

        // A timeout that stays takes about a hundred bytes. What earlier tests left to the collector moves the figure too, but not each time.
        Assert.True(SpinWait.SpinUntil(() => Grown(AddAndRemove) < Rounds * 10, Deadline.Default), "Removed timeouts take memory.");
        bool fired = false;
        loop.CallLater(TimeSpan.Zero, () => fired = true);
        loop.RunTurns(1);
        Assert.True(fired);

        void AddAndRemove()
        {
            for (int i = 0; i < Rounds; i++)
            {
                loop.RemoveTimeout(loop.CallLater(TimeSpan.FromHours(1), static () => { }));
            }
        }
    }

    private static long Grown(Action action)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        action();
        return GC.GetTotalMemory(forceFullCollection: true) - before;
    }

    [Theory, LoopStacks]
    [Contract("L-TIME-11"), Contract("L-INV-03")]
    public void Timeout_Throws_IsReportedAndOthersRun(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
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

    [Theory, LoopStacks]
    [Contract("L-TIME-12")]
    public async Task CallLater_ForEver_SleepsAndStillWakes(LoopStack stack)
    {
        var clock = new CountingClock();
        LoopThread thread = StartLoop(stack, clock);
        bool fired = false;
        LoopTimeout relative = await thread.Ask(() => thread.Loop.CallLater(TimeSpan.MaxValue, () => fired = true));
        LoopTimeout absolute = await thread.Ask(() => thread.Loop.CallAt(TimeSpan.MaxValue, () => fired = true));
        Assert.Equal(TimeSpan.MaxValue, relative.Deadline);
        var slept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Ask(() => thread.Loop.CallLater(TimeSpan.FromMilliseconds(50), slept.SetResult));
        await slept.Task.WithDeadline();
        Assert.False(fired);
        Assert.True(relative.IsPending && absolute.IsPending);
        clock.AssertFewTurns();
    }

    [Theory, LoopStacks]
    [Contract("L-TIME-13")]
    public async Task CallLater_ManualClock_FiresOnlyWhenTheClockSaysSo(LoopStack stack)
    {
        var clock = new ManualTimeProvider();
        LoopThread thread = StartLoop(stack, clock);
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

    [Theory, LoopStacks]
    [Contract("L-TIME-14")]
    public void Timeout_FiredOrRemoved_ReleasesItsCallback(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
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

    // Deadlines are typed: what is not a time does not become one, and what is too far does not wrap around.
    [Theory, LoopStacks]
    [Contract("L-TIME-10")]
    public void CallLater_NotATime_CannotBeSaid(LoopStack stack)
    {
        var clock = new ManualTimeProvider(TimeSpan.FromHours(1));
        IEventLoop loop = NewLoop(stack, clock);
        Assert.Throws<ArgumentException>(() => loop.CallLater(TimeSpan.FromSeconds(double.NaN), static () => { }));
        Assert.Throws<OverflowException>(() => loop.CallLater(TimeSpan.FromSeconds(double.PositiveInfinity), static () => { }));
        Assert.Throws<ArgumentNullException>(() => loop.CallLater(TimeSpan.Zero, null!));
        Assert.Throws<ArgumentNullException>(() => loop.CallAt(TimeSpan.Zero, null!, null));
        Assert.Throws<ArgumentNullException>(() => loop.RemoveTimeout(null!));
        Assert.Equal(TimeSpan.MaxValue, loop.CallLater(TimeSpan.MaxValue, static () => Assert.Fail("For ever is over.")).Deadline);
        Assert.Equal(TimeSpan.MaxValue, loop.CallLater(TimeSpan.MaxValue - TimeSpan.FromMinutes(1), static () => { }).Deadline);
        Assert.Equal(TimeSpan.FromHours(1), loop.CallLater(TimeSpan.MinValue, static () => { }).Deadline);

        // Below zero there is nothing to overflow.
        clock.Advance(TimeSpan.FromHours(-2));
        LoopTimeout soon = loop.CallLater(TimeSpan.FromHours(3), static () => { });
        Assert.Equal(TimeSpan.FromHours(2), soon.Deadline);
        loop.RunTurns(1);
        Assert.True(soon.IsPending);
    }

    [Theory, LoopStacks]
    [Contract("L-TIME-02")]
    public void CallAtAndLater_EveryForm_GivesAHandleToRemoveItWith(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        LoopTimeout[] timeouts =
        [
            loop.CallAt(TimeSpan.Zero, Fail),
            loop.CallAt(TimeSpan.Zero, static _ => Fail(), null),
            loop.CallLater(TimeSpan.Zero, Fail),
            loop.CallLater(TimeSpan.Zero, static _ => Fail(), null),
        ];
        Assert.All(timeouts, loop.RemoveTimeout);
        loop.RunTurns(1);
        Assert.All(timeouts, static timeout => Assert.False(timeout.IsPending));
        static void Fail() => Assert.Fail("It was removed.");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (LoopTimeout Timeout, WeakReference State) Schedule(IEventLoop loop)
    {
        object state = new();
        return (loop.CallLater(TimeSpan.Zero, static _ => { }, state), new WeakReference(state));
    }
}
