using System.Runtime.CompilerServices;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

public sealed class DelayedCallTests : ReactorContract
{
    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory, ReactorStacks]
    [Contract("R-TIME-03")]
    public async Task CallLater_DelayIsOver_RunsOnceAndNotEarly(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var fired = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        object argument = new();
        object? received = null;
        int count = 0;

        (IDelayedCall call, TimeSpan before, TimeSpan after) = await thread.Ask(() =>
        {
            TimeSpan start = thread.Reactor.Time;
            IDelayedCall scheduled = thread.Reactor.CallLater(Seconds(0.02), state =>
            {
                received = state;
                count++;
                fired.SetResult(thread.Reactor.Time);
            }, argument);
            return (scheduled, start, thread.Reactor.Time);
        });
        TimeSpan at = await fired.Task.WithDeadline();
        await thread.Turn();

        Assert.InRange(call.Time, before + Seconds(0.02), after + Seconds(0.02));
        Assert.True(at >= call.Time);
        Assert.Same(argument, received);
        Assert.Equal(1, count);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-02")]
    public async Task CallLater_ForEver_StaysActiveAndDisturbsNobody(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IDelayedCall distant = await thread.Ask(() => thread.Reactor.CallLater(TimeSpan.MaxValue, () => { }));

        await thread.Turn();
        await thread.Do(thread.Reactor.Stop);
        await thread.Ended;

        Assert.True(distant.Active);
        Assert.Equal(TimeSpan.MaxValue, distant.Time);
        Assert.Same(distant, Assert.Single(thread.Reactor.GetDelayedCalls()));
        distant.Delay(TimeSpan.MaxValue);
        Assert.Equal(TimeSpan.MaxValue, distant.Time);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-04")]
    public async Task CallLater_NegativeDelay_Throws(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);

        await thread.Do(() => Assert.Throws<ArgumentOutOfRangeException>(() => thread.Reactor.CallLater(Seconds(-1), () => { })));

        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-05"), Contract("R-TIME-14")]
    public async Task CallLater_Ties_RunInOrderScheduledOrLastMoved(ReactorStack stack)
    {
        var clock = new ManualTimeProvider();
        ReactorThread thread = StartReactor(stack, clock);
        var order = new List<string>();

        await thread.Do(() =>
        {
            IDelayedCall moved = thread.Reactor.CallLater(Seconds(3), () => order.Add("moved"));
            thread.Reactor.CallLater(Seconds(9), () => order.Add("last"));
            thread.Reactor.CallLater(Seconds(6), () => order.Add("first tie"));
            thread.Reactor.CallLater(Seconds(6), () => order.Add("second tie"));
            thread.Reactor.CallLater(Seconds(1), () => order.Add("first"));
            moved.Reset(Seconds(6));
            clock.Advance(Seconds(10));
        });
        await thread.Turn();

        Assert.Equal(["first", "first tie", "second tie", "moved", "last"], order);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-06")]
    public async Task CallLater_FromDelayedCall_WaitsForAnotherTurn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var order = new List<string>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await thread.Do(() =>
        {
            thread.Reactor.CallLater(TimeSpan.Zero, () =>
            {
                order.Add("call");
                thread.Reactor.CallLater(TimeSpan.Zero, () =>
                {
                    order.Add("its call");
                    done.SetResult();
                });
                thread.Reactor.CallFromThread(() => order.Add("cross-thread"));
            });
            thread.Reactor.CallLater(TimeSpan.Zero, () => order.Add("due with it"));
        });
        await done.Task.WithDeadline();

        Assert.Equal(["call", "due with it", "cross-thread", "its call"], order);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-07")]
    public async Task CallLater_BecomesDueWhileOthersRun_WaitsForNextTurn(ReactorStack stack)
    {
        var clock = new ManualTimeProvider();
        ReactorThread thread = StartReactor(stack, clock);
        var order = new List<string>();

        await thread.Do(() =>
        {
            thread.Reactor.CallLater(Seconds(1), () =>
            {
                clock.Advance(Seconds(1));
                thread.Reactor.CallFromThread(() => order.Add("turn"));
            });
            thread.Reactor.CallLater(Seconds(2), () => order.Add("late"));
            clock.Advance(Seconds(1));
        });
        await thread.Turn(3);

        Assert.Equal(["turn", "late"], order);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-13")]
    public async Task GetDelayedCalls_SomeOver_ListsActiveOnesOnly(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await thread.Do(() => thread.Reactor.CallLater(TimeSpan.Zero, () => { }));
        await thread.Turn();

        await thread.Do(() =>
        {
            IDelayedCall first = thread.Reactor.CallLater(Seconds(60), () => { });
            IDelayedCall cancelled = thread.Reactor.CallLater(Seconds(60), () => { });
            IDelayedCall second = thread.Reactor.CallLater(Seconds(60), () => { });
            cancelled.Cancel();
            IReadOnlyList<IDelayedCall> snapshot = thread.Reactor.GetDelayedCalls();
            first.Cancel();

            Assert.Equal([first, second], snapshot);
            Assert.True(second.Active);
        });
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-15"), Contract("R-INV-02")]
    public async Task CallLater_CallThrows_IsReportedOnceAndOthersRun(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        bool ran = false;

        IDelayedCall failing = await thread.Ask(() =>
        {
            IDelayedCall call = thread.Reactor.CallLater(TimeSpan.Zero, () => throw new InvalidDataException());
            thread.Reactor.CallLater(TimeSpan.Zero, () => ran = true);
            return call;
        });
        await thread.Turn();

        Assert.IsType<InvalidDataException>(Assert.Single(TakeErrors()));
        Assert.True(ran);
        Assert.Throws<DelayedCallAlreadyCalledException>(failing.Cancel);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-17")]
    public async Task CallLater_FiredOrCancelled_HoldsNothing(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        [MethodImpl(MethodImplOptions.NoInlining)]
        (IDelayedCall Handle, WeakReference Argument) Schedule(bool cancel)
        {
            object argument = new();
            IDelayedCall call = thread.Reactor.CallLater(TimeSpan.Zero, static _ => { }, argument);
            if (cancel)
            {
                call.Cancel();
            }

            return (call, new WeakReference(argument));
        }

        (IDelayedCall firedHandle, WeakReference fired) = await thread.Ask(() => Schedule(cancel: false));
        (IDelayedCall cancelledHandle, WeakReference cancelled) = await thread.Ask(() => Schedule(cancel: true));
        await thread.Turn();
        GC.Collect();

        Assert.False(fired.IsAlive);
        Assert.False(cancelled.IsAlive);
        GC.KeepAlive((firedHandle, cancelledHandle));
    }
}
