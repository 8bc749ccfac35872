using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>How often a reactor wakes up: each turn looks at the clock, so looks are counted.</summary>
public sealed class WakeUpTests : ReactorContract
{
    private static readonly TimeSpan Span = TimeSpan.FromMilliseconds(60);

    [Theory, ReactorStacks]
    [Contract("R-TIME-16"), Contract("R-INV-06")]
    public async Task Wait_OneCallIsPending_WakesForThatAlone(ReactorStack stack)
    {
        var clock = new CountingTimeProvider();
        ReactorThread thread = StartReactor(stack, clock);
        await thread.Turn();

        // A few turns with a few looks in each layer; polling would look all the time.
        Assert.InRange(await LeastLooks(thread, clock, () => { }), 1, 20);
    }

    [Theory, ReactorStacks]
    [Contract("R-TIME-16")]
    public async Task Wait_OthersWereMovedOrCancelled_WakesNotForTheirOldTimes(ReactorStack stack)
    {
        var clock = new CountingTimeProvider();
        ReactorThread thread = StartReactor(stack, clock);
        await thread.Turn();
        long alone = await LeastLooks(thread, clock, () => { });

        long withOthers = await LeastLooks(thread, clock, () =>
        {
            for (int i = 1; i <= 30; i++)
            {
                TimeSpan early = Span * i / 40;
                IDelayedCall cancelled = thread.Reactor.CallLater(early, Never);
                IDelayedCall reset = thread.Reactor.CallLater(early, Never);
                IDelayedCall delayed = thread.Reactor.CallLater(early, Never);
                cancelled.Cancel();
                reset.Reset(TimeSpan.FromHours(1));
                delayed.Delay(TimeSpan.FromHours(1));
            }
        });

        Assert.InRange(withOthers, 1, alone + 10); // thirty times would be more
    }

    // The least of some attempts: whatever else the machine does only adds.
    private static async Task<long> LeastLooks(ReactorThread thread, CountingTimeProvider clock, Action before)
    {
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 3; attempt++)
        {
            var fired = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            long begin = await thread.Ask(() =>
            {
                before();
                thread.Reactor.CallLater(Span, () => fired.SetResult(clock.Looks));
                return clock.Looks;
            });
            least = Math.Min(least, await fired.Task.WithDeadline() - begin);
        }

        return least;
    }

    private static void Never() => Assert.Fail("It was moved or cancelled.");

    private sealed class CountingTimeProvider : TimeProvider
    {
        private long _looks;

        internal long Looks => Interlocked.Read(ref _looks);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _looks);
            return base.GetTimestamp();
        }
    }
}
