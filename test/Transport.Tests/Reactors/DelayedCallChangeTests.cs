using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

public sealed class DelayedCallChangeTests : ReactorContract
{
    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory, ReactorStacks]
    [Contract("R-TIME-08")]
    public async Task Cancel_ByCallDueInSamePass_NeverRuns(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        bool ran = false;

        await thread.Do(() =>
        {
            IDelayedCall? second = null;
            thread.Reactor.CallLater(TimeSpan.Zero, () => second!.Cancel());
            second = thread.Reactor.CallLater(TimeSpan.Zero, () => ran = true);
        });
        await thread.Turn();

        Assert.False(ran);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-09")]
    public async Task Change_OfCancelledCall_ThrowsAlreadyCancelled(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);

        await thread.Do(() =>
        {
            IDelayedCall call = thread.Reactor.CallLater(TimeSpan.Zero, () => { });
            call.Cancel();
            Assert.Throws<DelayedCallAlreadyCancelledException>(call.Cancel);
            Assert.Throws<DelayedCallAlreadyCancelledException>(() => call.Reset(Seconds(1)));
            Assert.Throws<DelayedCallAlreadyCancelledException>(() => call.Delay(Seconds(1)));
            Assert.False(call.Active);
        });
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-10"), Contract("R-TIME-13")]
    public async Task Change_OfCallThatRuns_ThrowsAlreadyCalled(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        IDelayedCall? call = null;
        bool? activeInside = null;
        void CheckRefused()
        {
            Assert.Throws<DelayedCallAlreadyCalledException>(call!.Cancel);
            Assert.Throws<DelayedCallAlreadyCalledException>(() => call.Reset(Seconds(1)));
            Assert.Throws<DelayedCallAlreadyCalledException>(() => call.Delay(Seconds(1)));
        }

        await thread.Do(() => call = thread.Reactor.CallLater(TimeSpan.Zero, () =>
        {
            activeInside = call!.Active;
            CheckRefused();
        }));
        await thread.Turn();
        await thread.Do(CheckRefused);

        Assert.False(activeInside);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-11"), Contract("R-TIME-12")]
    public async Task Move_LaterAndEarlier_RunsAtNewTime(ReactorStack stack)
    {
        var clock = new ManualTimeProvider();
        ReactorThread thread = StartReactor(stack, clock);
        var order = new List<string>();
        void Note(string what) => order.Add($"{what}@{thread.Reactor.Time.TotalSeconds}");

        await thread.Do(() =>
        {
            thread.Reactor.CallLater(Seconds(1), () => Note("later")).Reset(Seconds(4));
            thread.Reactor.CallLater(Seconds(9), () => Note("earlier")).Reset(Seconds(2));
            thread.Reactor.CallLater(Seconds(1), () => Note("delayed")).Delay(Seconds(2));
            thread.Reactor.CallLater(Seconds(9), () => Note("hastened")).Delay(Seconds(-8));
            thread.Reactor.CallLater(Seconds(9), () => Note("overdue")).Delay(TimeSpan.FromDays(-1));
        });
        await thread.Turn();
        for (int second = 1; second <= 5; second++)
        {
            await thread.Do(() => clock.Advance(Seconds(1)));
            await thread.Turn();
        }

        Assert.Equal(["overdue@0", "hastened@1", "earlier@2", "delayed@3", "later@4"], order);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-11")]
    public async Task Reset_Earlier_ShortensTheSleep(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        IDelayedCall call = await thread.Ask(() => thread.Reactor.CallLater(TimeSpan.FromHours(1), fired.SetResult));

        await thread.Do(() => call.Reset(TimeSpan.Zero));

        await fired.Task.WithDeadline();
    }
}
