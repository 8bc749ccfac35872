using System.Runtime.CompilerServices;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

public sealed class DelayedCallTests
{
    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-03")]
    public async Task CallLater_DelayIsOver_RunsOnceAndNotEarly(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var fired = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        object argument = new();
        object? received = null;
        int count = 0;

        (IDelayedCall call, TimeSpan before, TimeSpan after) = await harness.On(() =>
        {
            TimeSpan start = harness.Reactor.Time;
            IDelayedCall scheduled = harness.Reactor.CallLater(Seconds(0.02), state =>
            {
                received = state;
                count++;
                fired.SetResult(harness.Reactor.Time);
            }, argument);
            return (scheduled, start, harness.Reactor.Time);
        });
        TimeSpan at = await fired.Task.WithDeadline();
        await harness.Turn();

        Assert.InRange(call.Time, before + Seconds(0.02), after + Seconds(0.02));
        Assert.True(at >= call.Time);
        Assert.Same(argument, received);
        Assert.Equal(1, count);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-02")]
    public async Task CallLater_ForEver_StaysActiveAndDisturbsNobody(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        IDelayedCall distant = await harness.On(() => harness.Reactor.CallLater(TimeSpan.MaxValue, () => { }));

        await harness.Turn();
        await harness.On(harness.Reactor.Stop);
        await harness.Turn();

        Assert.True(distant.Active);
        Assert.Equal(TimeSpan.MaxValue, distant.Time);
        Assert.Same(distant, Assert.Single(await harness.On(harness.Reactor.GetDelayedCalls)));
        await harness.On(() => distant.Delay(TimeSpan.MaxValue));
        Assert.Equal(TimeSpan.MaxValue, distant.Time);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-04")]
    public async Task CallLater_NegativeDelay_Throws(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);

        await harness.On(() => Assert.Throws<ArgumentOutOfRangeException>(() => harness.Reactor.CallLater(Seconds(-1), () => { })));

        Assert.Empty(await harness.On(harness.Reactor.GetDelayedCalls));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-05"), Contract("R-TIME-14")]
    public async Task CallLater_Ties_RunInOrderScheduledOrLastMoved(LoopDriver driver)
    {
        var clock = new ManualClock();
        await using var harness = new ReactorHarness(driver, clock: clock);
        var order = new List<string>();

        await harness.On(() =>
        {
            IDelayedCall moved = harness.Reactor.CallLater(Seconds(3), () => order.Add("moved"));
            harness.Reactor.CallLater(Seconds(9), () => order.Add("last"));
            harness.Reactor.CallLater(Seconds(6), () => order.Add("first tie"));
            harness.Reactor.CallLater(Seconds(6), () => order.Add("second tie"));
            harness.Reactor.CallLater(Seconds(1), () => order.Add("first"));
            moved.Reset(Seconds(6));
            clock.Advance(Seconds(10));
        });
        await harness.Turn();

        Assert.Equal(["first", "first tie", "second tie", "moved", "last"], order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-06")]
    public async Task CallLater_FromDelayedCall_WaitsForAnotherTurn(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var order = new List<string>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await harness.On(() =>
        {
            harness.Reactor.CallLater(TimeSpan.Zero, () =>
            {
                order.Add("call");
                harness.Reactor.CallLater(TimeSpan.Zero, () =>
                {
                    order.Add("its call");
                    done.SetResult();
                });
                harness.Reactor.CallFromThread(() => order.Add("cross-thread"));
            });
            harness.Reactor.CallLater(TimeSpan.Zero, () => order.Add("due with it"));
        });
        await done.Task.WithDeadline();

        Assert.Equal(["call", "due with it", "cross-thread", "its call"], order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-07")]
    public async Task CallLater_BecomesDueWhileOthersRun_WaitsForNextTurn(LoopDriver driver)
    {
        var clock = new ManualClock();
        await using var harness = new ReactorHarness(driver, clock: clock);
        var order = new List<string>();

        await harness.On(() =>
        {
            harness.Reactor.CallLater(Seconds(1), () =>
            {
                clock.Advance(Seconds(1));
                harness.Reactor.CallFromThread(() => order.Add("turn"));
            });
            harness.Reactor.CallLater(Seconds(2), () => order.Add("late"));
            clock.Advance(Seconds(1));
        });
        await harness.Turn(3);

        Assert.Equal(["turn", "late"], order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-08")]
    public async Task Cancel_ByCallDueInSamePass_NeverRuns(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        bool ran = false;

        await harness.On(() =>
        {
            IDelayedCall? second = null;
            harness.Reactor.CallLater(TimeSpan.Zero, () => second!.Cancel());
            second = harness.Reactor.CallLater(TimeSpan.Zero, () => ran = true);
        });
        await harness.Turn();

        Assert.False(ran);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-09")]
    public async Task Change_OfCancelledCall_ThrowsAlreadyCancelled(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);

        await harness.On(() =>
        {
            IDelayedCall call = harness.Reactor.CallLater(TimeSpan.Zero, () => { });
            call.Cancel();
            Assert.Throws<DelayedCallAlreadyCancelledException>(call.Cancel);
            Assert.Throws<DelayedCallAlreadyCancelledException>(() => call.Reset(Seconds(1)));
            Assert.Throws<DelayedCallAlreadyCancelledException>(() => call.Delay(Seconds(1)));
            Assert.False(call.Active);
        });
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-10"), Contract("R-TIME-13")]
    public async Task Change_OfCallThatRuns_ThrowsAlreadyCalled(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        IDelayedCall? call = null;
        bool? activeInside = null;
        void CheckRefused()
        {
            Assert.Throws<DelayedCallAlreadyCalledException>(call!.Cancel);
            Assert.Throws<DelayedCallAlreadyCalledException>(() => call.Reset(Seconds(1)));
            Assert.Throws<DelayedCallAlreadyCalledException>(() => call.Delay(Seconds(1)));
        }

        await harness.On(() => call = harness.Reactor.CallLater(TimeSpan.Zero, () =>
        {
            activeInside = call!.Active;
            CheckRefused();
        }));
        await harness.Turn();
        await harness.On(CheckRefused);

        Assert.False(activeInside);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-11"), Contract("R-TIME-12")]
    public async Task Move_LaterAndEarlier_RunsAtNewTime(LoopDriver driver)
    {
        var clock = new ManualClock();
        await using var harness = new ReactorHarness(driver, clock: clock);
        var order = new List<string>();
        void Log(string what) => order.Add($"{what}@{harness.Reactor.Time.TotalSeconds - TimeSpan.FromHours(1).TotalSeconds}");

        await harness.On(() =>
        {
            harness.Reactor.CallLater(Seconds(1), () => Log("later")).Reset(Seconds(4));
            harness.Reactor.CallLater(Seconds(9), () => Log("earlier")).Reset(Seconds(2));
            harness.Reactor.CallLater(Seconds(1), () => Log("delayed")).Delay(Seconds(2));
            harness.Reactor.CallLater(Seconds(9), () => Log("hastened")).Delay(Seconds(-8));
            harness.Reactor.CallLater(Seconds(9), () => Log("overdue")).Delay(TimeSpan.FromDays(-1));
        });
        await harness.Turn();
        for (int second = 1; second <= 5; second++)
        {
            await harness.On(() => clock.Advance(Seconds(1)));
            await harness.Turn();
        }

        Assert.Equal(["overdue@0", "hastened@1", "earlier@2", "delayed@3", "later@4"], order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-11")]
    public async Task Reset_Earlier_ShortensTheSleep(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        IDelayedCall call = await harness.On(() => harness.Reactor.CallLater(TimeSpan.FromHours(1), fired.SetResult));

        await harness.On(() => call.Reset(TimeSpan.Zero));

        await fired.Task.WithDeadline();
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-13")]
    public async Task GetDelayedCalls_SomeOver_ListsOwnActiveOnesOnly(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        await harness.On(() => harness.Reactor.CallLater(TimeSpan.Zero, () => { }));
        await harness.Turn();

        await harness.On(() =>
        {
            LoopBridge.Loops.LoopTimeout foreign = harness.Loop.CallAt(TimeSpan.MaxValue, static _ => { }, null);
            IDelayedCall first = harness.Reactor.CallLater(Seconds(60), () => { });
            IDelayedCall cancelled = harness.Reactor.CallLater(Seconds(60), () => { });
            IDelayedCall second = harness.Reactor.CallLater(Seconds(60), () => { });
            cancelled.Cancel();
            IReadOnlyList<IDelayedCall> snapshot = harness.Reactor.GetDelayedCalls();
            first.Cancel();

            Assert.Equal([first, second], snapshot);
            Assert.True(second.Active);
            harness.Loop.RemoveTimeout(foreign);
        });
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-15"), Contract("R-INV-02")]
    public async Task CallLater_CallThrows_IsReportedOnceAndOthersRun(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        bool ran = false;

        IDelayedCall failing = await harness.On(() =>
        {
            IDelayedCall call = harness.Reactor.CallLater(TimeSpan.Zero, () => throw new InvalidDataException());
            harness.Reactor.CallLater(TimeSpan.Zero, () => ran = true);
            return call;
        });
        await harness.Turn();

        Assert.IsType<InvalidDataException>(Assert.Single(harness.TakeErrors()));
        Assert.True(ran);
        Assert.Throws<DelayedCallAlreadyCalledException>(failing.Cancel);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-16"), Contract("R-TIME-18")]
    public async Task Change_OfManyCalls_LeavesOneLowerTimerForEachActiveCall(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);

        await harness.On(() =>
        {
            var calls = Enumerable.Range(0, 5000).Select(_ => harness.Reactor.CallLater(TimeSpan.FromDays(1), () => { })).ToList();
            calls.ForEach(call => call.Reset(TimeSpan.FromDays(2)));
            calls.ForEach(call => call.Delay(TimeSpan.FromDays(2)));
            Assert.Equal(calls.Count, harness.Loop.GetStatistics().PendingTimeouts);
            calls.Skip(1).ToList().ForEach(call => call.Cancel());
            Assert.Equal(1, harness.Loop.GetStatistics().PendingTimeouts);
        });
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-17")]
    public async Task CallLater_FiredOrCancelled_HoldsNothing(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        [MethodImpl(MethodImplOptions.NoInlining)]
        (IDelayedCall Handle, WeakReference Argument) Schedule(bool cancel)
        {
            object argument = new();
            IDelayedCall call = harness.Reactor.CallLater(TimeSpan.Zero, static _ => { }, argument);
            if (cancel)
            {
                call.Cancel();
            }

            return (call, new WeakReference(argument));
        }

        (IDelayedCall firedHandle, WeakReference fired) = await harness.On(() => Schedule(cancel: false));
        (IDelayedCall cancelledHandle, WeakReference cancelled) = await harness.On(() => Schedule(cancel: true));
        await harness.Turn();
        GC.Collect();

        Assert.False(fired.IsAlive);
        Assert.False(cancelled.IsAlive);
        GC.KeepAlive((firedHandle, cancelledHandle));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TIME-19")]
    public async Task ToString_InEveryState_NamesFunctionOrState(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        (IDelayedCall pending, IDelayedCall cancelled) = await harness.On(() =>
            (harness.Reactor.CallLater(TimeSpan.Zero, Named), harness.Reactor.CallLater(TimeSpan.Zero, Named)));

        string before = cancelled.ToString()!;
        await harness.On(() =>
        {
            if (cancelled.Active)
            {
                cancelled.Cancel();
            }
        });
        await harness.Turn();

        Assert.Contains("DelayedCall", before, StringComparison.Ordinal);
        Assert.EndsWith("called", pending.ToString(), StringComparison.Ordinal);
        IDelayedCall distant = await harness.On(() => harness.Reactor.CallLater(TimeSpan.MaxValue, Named));
        Assert.EndsWith(nameof(Named), distant.ToString(), StringComparison.Ordinal);
        await harness.On(distant.Cancel);
        Assert.EndsWith("cancelled", distant.ToString(), StringComparison.Ordinal);
    }

    private static void Named()
    {
    }
}
