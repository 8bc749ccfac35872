using System.Collections.Concurrent;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>Threads for what blocks: as many as there is work, to a bound.</summary>
public sealed class ElasticThreadsTests : IDisposable
{
    private readonly ManualResetEventSlim _release = new();

    public void Dispose()
    {
        _release.Set();
        _release.Dispose();
    }

    [Fact]
    public async Task Queue_WorkThatBlocks_HasAThreadEach()
    {
        using var threads = new ElasticThreads(10);
        Blocker[] blockers = [.. Enumerable.Range(0, 10).Select(_ => new Blocker(_release))];
        Array.ForEach(blockers, threads.Queue);
        await Task.WhenAll(blockers.Select(static blocker => blocker.Began));
        Assert.Equal(10, threads.Total);
        Assert.Equal(10, threads.Busy);
        Assert.All(blockers, static blocker => Assert.Equal(("LoopBridge worker", true, false), blocker.Seen));
    }

    [Fact]
    public async Task Queue_BeyondTheBound_WaitsInOrder()
    {
        using var threads = new ElasticThreads(1);
        var blocker = new Blocker(_release);
        threads.Queue(blocker);
        await blocker.Began;
        var order = new ConcurrentQueue<int>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (int i = 0; i < 100; i++)
        {
            int number = i;
            threads.Queue(new WorkItem(() =>
            {
                order.Enqueue(number);
                if (number == 99)
                {
                    done.SetResult();
                }
            }));
        }

        Assert.Equal(100, threads.Waiting);
        Assert.False(threads.TryRun(new WorkItem(static () => { })));
        Assert.Equal(1, threads.Total);
        _release.Set();
        await done.Task.WithDeadline();
        Assert.Equal(Enumerable.Range(0, 100), order);
    }

    [Fact]
    public async Task Queue_WhileOneIsIdle_UsesThatThread()
    {
        using var threads = new ElasticThreads(10);
        Thread first = await RunAsync(threads);
        for (int i = 0; i < 20; i++)
        {
            Assert.True(SpinWait.SpinUntil(() => threads.Busy == 0, Deadline.Default));
            Assert.Same(first, await RunAsync(threads));
        }

        Assert.Equal(1, threads.Total);
    }

    [Fact]
    public async Task Thread_IdleForItsTime_Ends()
    {
        using var threads = new ElasticThreads(10, idleTime: TimeSpan.FromMilliseconds(1));
        Thread first = await RunAsync(threads);
        Assert.True(SpinWait.SpinUntil(() => !first.IsAlive, Deadline.Default));
        Assert.Equal(0, threads.Total);

        // Those that end at the moment of the call lose no work.
        for (int i = 0; i < 200; i++)
        {
            await RunAsync(threads);
            SpinWait.SpinUntil(() => threads.Busy == 0, TimeSpan.FromMilliseconds(i % 3));
        }
    }

    [Fact]
    public async Task Dispose_ThreadsBusyAndIdle_EndsThemWhenTheyHaveNothingToDoAndTakesWorkNonetheless()
    {
        var threads = new ElasticThreads(2);
        var blocker = new Blocker(_release);
        threads.Queue(blocker);
        await blocker.Began;
        Thread idle = await RunAsync(threads);
        threads.Dispose();
        threads.Dispose();
        Assert.True(SpinWait.SpinUntil(() => !idle.IsAlive, Deadline.Default));
        Thread late = await RunAsync(threads);
        Assert.True(SpinWait.SpinUntil(() => !late.IsAlive, Deadline.Default));
        _release.Set();
        Assert.True(SpinWait.SpinUntil(() => threads.Total == 0, Deadline.Default));
    }

    [Fact]
    public async Task Execute_LeavingAContextBehind_LeavesItToNobody()
    {
        using var threads = new ElasticThreads(1);
        var ambient = new AsyncLocal<string?>();
        threads.Queue(new WorkItem(() =>
        {
            ambient.Value = "of the first";
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
        }));
        var seen = new TaskCompletionSource<(string?, SynchronizationContext?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        threads.Queue(new WorkItem(() => seen.SetResult((ambient.Value, SynchronizationContext.Current))));
        Assert.Equal((null, null), await seen.Task.WithDeadline());
    }

    private static Task<Thread> RunAsync(ElasticThreads threads)
    {
        var ran = new TaskCompletionSource<Thread>(TaskCreationOptions.RunContinuationsAsynchronously);
        threads.Queue(new WorkItem(() => ran.SetResult(Thread.CurrentThread)));
        return ran.Task.WithDeadline();
    }

    private sealed class Blocker(ManualResetEventSlim release) : IThreadPoolWorkItem
    {
        private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Began => _began.Task.WithDeadline();

        internal (string? Name, bool IsBackground, bool IsOfThePool) Seen { get; private set; }

        public void Execute()
        {
            Thread thread = Thread.CurrentThread;
            Seen = (thread.Name, thread.IsBackground, thread.IsThreadPoolThread);
            _began.SetResult();
            Assert.True(release.Wait(Deadline.Default));
        }
    }
}
