using System.Collections.Concurrent;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Threads for work that blocks.</summary>
public sealed class ThreadExecutorTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task QueueTask_OneThread_RunsInOrder()
    {
        using var executor = new ThreadExecutor(1);
        var order = new ConcurrentQueue<int>();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Run(executor, () => order.Enqueue(i)))).WithDeadline();
        Assert.Equal(Enumerable.Range(0, 100), order);
        Assert.Equal(1, executor.MaximumConcurrencyLevel);
    }

    [Fact]
    public async Task QueueTask_IdleThread_IsUsedAgain()
    {
        using var executor = new ThreadExecutor(10);
        var threads = new HashSet<int>();
        for (int i = 0; i < 20; i++)
        {
            int thread = 0;
            await Run(executor, () => thread = Environment.CurrentManagedThreadId).WithDeadline();
            threads.Add(thread);
        }

        // A thread tells of its task's end a moment before it is idle, so a second one may have been called for; twenty were not.
        Assert.InRange(threads.Count, 1, 10);
    }

    [Fact]
    public async Task QueueTask_Throwing_KeepsTheThread()
    {
        using var executor = new ThreadExecutor(1);
        await Assert.ThrowsAsync<InvalidDataException>(() => Run(executor, static () => throw new InvalidDataException()).WithDeadline());
        await Run(executor, static () => { }).WithDeadline();
    }

    [Fact]
    public async Task Dispose_WorkWaiting_RunsItTakesNoMoreAndEndsTheThreads()
    {
        var executor = new ThreadExecutor(1);
        using var release = new ManualResetEventSlim();
        Thread? thread = null;
        Task first = Run(executor, () =>
        {
            thread = Thread.CurrentThread;
            Assert.True(release.Wait(Deadline.Default));
        });
        bool ran = false;
        Task second = Run(executor, () => ran = true);
        executor.Dispose();
        executor.Dispose();
        Assert.IsType<ObjectDisposedException>(Assert.Throws<TaskSchedulerException>(() => { _ = Run(executor, static () => { }); }).InnerException);
        release.Set();
        await Task.WhenAll(first, second).WithDeadline();
        Assert.True(ran);
        Assert.True(thread!.Join(Deadline.Default));
    }

    [Fact]
    public async Task Wait_WorkThatWaitsForWork_IsNotADeadlockWhereItNeedNotBe()
    {
        using var executor = new ThreadExecutor(1);
        Task<int> outer = Task.Factory.StartNew(
            () =>
            {
                var inner = new Task<int>(static () => 7);
                inner.RunSynchronously(executor);
                return inner.Result;
            }, Never, TaskCreationOptions.None, executor);
        Assert.Equal(7, await outer.WithDeadline());
    }

    [Fact]
    public void MaximumConcurrencyLevel_NotGiven_IsFiveForEachCore()
    {
        using var executor = new ThreadExecutor();
        Assert.Equal(Environment.ProcessorCount * 5, executor.MaximumConcurrencyLevel);
    }

    private static Task Run(ThreadExecutor executor, Action action)
        => Task.Factory.StartNew(action, Never, TaskCreationOptions.None, executor);
}
