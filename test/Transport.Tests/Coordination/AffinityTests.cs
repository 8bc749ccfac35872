using LoopBridge.Coordination;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Calls from the wrong thread, and what the uncontended ones cost on the right one.</summary>
public sealed class AffinityTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-INV-02")]
    public void AnyCall_FromAnotherThread_ThrowsAndChangesNothing(LoopStack stack)
    {
        IEventLoop loop = StartLoop(stack).Loop;
        var queue = new LoopQueue<int>(loop);
        var door = new LoopLock(loop);
        var semaphore = new LoopSemaphore(loop);
        var condition = new LoopCondition(loop);
        var flag = new LoopEventFlag(loop);
        Action[] calls =
        [
            () => queue.PutNow(1), () => queue.GetNow(), () => queue.TryPut(1), () => queue.TryGet(out _), queue.TaskDone,
            () => Begin(queue.PutAsync(1)), () => Begin(queue.GetAsync()), () => Begin(queue.JoinAsync()),
            () => Begin(door.AcquireAsync()), () => door.TryAcquire(out _), door.Release,
            () => Begin(semaphore.AcquireAsync()), () => semaphore.TryAcquire(out _), semaphore.Release,
            () => Begin(condition.WaitAsync()), () => condition.Notify(), condition.NotifyAll,
            () => Begin(flag.WaitAsync()), flag.Set, flag.Clear,
            () => Begin(loop.SleepAsync(TimeSpan.Zero)),
            () => loop.MultiAsync([Task.CompletedTask]),
            () => loop.WithTimeoutAsync(Task.CompletedTask, TimeSpan.Zero),
            () => WaitIterator.Over(loop, [Task.FromResult(1)]),
        ];

        Assert.All(calls, static call => Assert.Throws<InvalidOperationException>(call));

        Assert.Equal(0, queue.Count);
        Assert.Equal("LoopQueue<Int32>: 0 items, 0 puts and 0 gets waiting, 0 tasks unfinished", queue.ToString());
        Assert.False(door.IsHeld);
        Assert.Equal(1, semaphore.CurrentCount);
        Assert.False(flag.IsSet);
    }

    [Theory, LoopStacks]
    public async Task Dispose_OfAPermitOnAnotherThread_ThrowsAndReleasesNothing(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var door = new LoopLock(thread.Loop);
        LoopPermit permit = await thread.RunAsync(_ => door.AcquireAsync().AsTask());
        Assert.Throws<InvalidOperationException>(permit.Dispose);
        Assert.True(door.IsHeld);
    }

    [Theory, LoopStacks]
    public Task UncontendedCalls_AllocateNothing(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 4);
        var door = new LoopLock(loop);
        var semaphore = new LoopSemaphore(loop, 2);
        var flag = new LoopEventFlag(loop);
        flag.Set();
        await UseAsync(1000); // the first round makes what the others use again

        // Not even a byte for a round. The least of several: a collection in between, which any thread may cause, counts the rest of this
        // thread's allocation buffer as used.
        long least = long.MaxValue;
        for (int i = 0; i < 5 && least > 1000; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            await UseAsync(10_000);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(least, 0, 1000);

        async Task UseAsync(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                await queue.PutAsync(i);
                await queue.GetAsync();
                queue.TaskDone();
                await queue.JoinAsync();
                (await door.AcquireAsync()).Dispose();
                (await semaphore.AcquireAsync()).Dispose();
                await flag.WaitAsync();
            }
        }
    });

    private static void Begin(ValueTask task) => Assert.NotNull(task.AsTask());

    private static void Begin<T>(ValueTask<T> task) => Assert.NotNull(task.AsTask());
}
