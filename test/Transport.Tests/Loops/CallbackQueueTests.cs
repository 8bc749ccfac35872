using System.Runtime.CompilerServices;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

public sealed class CallbackQueueTests
{
    private readonly CallbackQueue _queue = new();
    private readonly LoopWorkItem.Carrier _carrier = new();

    [Fact]
    public void TryDequeue_Empty_IsFalse()
    {
        Assert.True(_queue.IsEmpty);
        Assert.False(_queue.TryDequeue(out _));
        Add(1);
        Assert.False(_queue.IsEmpty);
        Assert.Equal(1, Take());
        Assert.False(_queue.TryDequeue(out _));
        Assert.True(_queue.IsEmpty);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(256)]
    [InlineData(5_000)]
    public void TryDequeue_BurstsOfAnyLength_KeepOrder(int burst)
    {
        int added = 0;
        int taken = 0;
        while (taken < 20_000)
        {
            for (int i = 0; i < burst; i++)
            {
                Add(added++);
            }

            // Half of it, so that a burst begins anywhere in a segment, and with something still queued.
            while (_queue.Count > burst / 2)
            {
                Assert.Equal(taken++, Take());
            }

            Assert.Equal(added - taken, _queue.Count);
        }
    }

    [Fact]
    public async Task Enqueue_FromSeveralThreads_LosesNothingAndKeepsTheOrderOfEach()
    {
        const int Producers = 4;
        const int Each = 250_000;
        int[] next = new int[Producers];
        using var start = new Barrier(Producers);
        Task[] producers = [.. Enumerable.Range(0, Producers).Select(producer => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            for (int i = 0; i < Each; i++)
            {
                Add((producer * Each) + i);
            }
        }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default))];

        Task taker = Task.Factory.StartNew(() =>
        {
            for (int taken = 0; taken < Producers * Each;)
            {
                if (!_queue.TryDequeue(out LoopWorkItem item))
                {
                    Assert.False(TestContext.Current.CancellationToken.IsCancellationRequested);
                    Thread.Yield();
                    continue;
                }

                int value = Value(item);
                Assert.Equal(next[value / Each]++, value % Each);
                taken++;
            }
        }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        await Task.WhenAll([taker, .. producers]).WithDeadline();
        Assert.All(next, count => Assert.Equal(Each, count));
        Assert.True(_queue.IsEmpty);
        Assert.Equal(Producers * Each, _queue.Taken);
    }

    [Fact]
    public void Enqueue_SteadyTraffic_AllocatesNothing()
    {
        Action<object?> callback = static _ => { };
        Steady(2_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Steady(20_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Steady(int turns)
        {
            for (int i = 0; i < turns; i++)
            {
                for (int j = 0; j < 7; j++)
                {
                    _queue.Enqueue(new LoopWorkItem(callback, null, null));
                }

                while (_queue.TryDequeue(out LoopWorkItem item))
                {
                    item.Run(_carrier);
                }
            }
        }
    }

    [Fact]
    public void Run_UnderAnotherAmbientContext_SeesItAndAllocatesNothing()
    {
        var ambient = new AsyncLocal<string>();
        ambient.Value = "there";
        Action<object?> look = seen => ((StrongBox<string?>)seen!).Value = ambient.Value;
        var item = new LoopWorkItem(look, new StrongBox<string?>(), ExecutionContext.Capture());
        ambient.Value = "here";
        item.Run(_carrier);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1_000; i++)
        {
            item.Run(_carrier);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal("there", ((StrongBox<string?>)item.State!).Value);
        Assert.Equal("here", ambient.Value);
    }

    [Fact]
    public void TryDequeue_AfterABurst_KeepsFewSegments()
    {
        for (int i = 0; i < 100_000; i++)
        {
            Add(i);
        }

        while (_queue.TryDequeue(out _))
        {
        }

        Assert.Equal(CallbackQueue.MostSpares, _queue.SpareSegments);
    }

    [Fact]
    public void TryDequeue_Taken_IsNotKeptAlive()
    {
        WeakReference state = AddAndTake();
        GC.Collect();
        Assert.False(state.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        WeakReference AddAndTake()
        {
            object held = new();
            _queue.Enqueue(new LoopWorkItem(static (object? _) => { }, held, ExecutionContext.Capture()));
            Assert.True(_queue.TryDequeue(out LoopWorkItem item));
            item.Run(_carrier);
            return new WeakReference(held);
        }
    }

    private void Add(int value) => _queue.Enqueue(new LoopWorkItem(this, value, null));

    private int Take()
    {
        Assert.True(_queue.TryDequeue(out LoopWorkItem item));
        return Value(item);
    }

    private static int Value(in LoopWorkItem item) => (int)item.State!;
}
