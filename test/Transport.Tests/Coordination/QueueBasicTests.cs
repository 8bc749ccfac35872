using LoopBridge.Coordination;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Sizes, text, and the orders of the three kinds.</summary>
public sealed class QueueBasicTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-Q-01")]
    public Task Queue_GivesItemsInTheOrderPut(LoopStack stack) => StartLoop(stack).RunAsync(loop =>
    {
        var queue = new LoopQueue<int>(loop);
        Assert.All([1, 3, 2], queue.PutNow);
        Assert.Equal([1, 3, 2], Drain(queue));
        return Task.CompletedTask;
    });

    [Theory, LoopStacks]
    [Contract("L-Q-01")]
    public void Constructor_MaxSize_IsChecked(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoopQueue<int>(loop, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoopLifoQueue<int>(loop, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoopPriorityQueue<int>(loop, -1));
        Assert.Throws<ArgumentNullException>(() => new LoopQueue<int>(null!));
        Assert.Equal(2, new LoopQueue<int>(loop, 2).MaxSize);
    }

    [Theory, LoopStacks]
    [Contract("L-Q-01")]
    public Task Queue_MaxSizeZero_IsNeverFull(LoopStack stack) => StartLoop(stack).RunAsync(loop =>
    {
        var queue = new LoopQueue<int>(loop);
        for (int i = 0; i < 10_000; i++)
        {
            queue.PutNow(i);
        }

        Assert.False(queue.IsFull);
        Assert.Equal(10_000, queue.Count);
        return Task.CompletedTask;
    });

    [Theory, LoopStacks]
    [Contract("L-Q-01")]
    public Task ToString_ShowsSizesAndWhoWaits(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var bounded = new LoopQueue<int>(loop, maxSize: 2);
        bounded.PutNow(1);
        bounded.PutNow(2);
        Task put = bounded.PutAsync(3).AsTask();
        Assert.Equal("LoopQueue<Int32>: 2 of 2 items, 1 puts and 0 gets waiting, 2 tasks unfinished", bounded.ToString());

        var free = new LoopPriorityQueue<string>(loop);
        Task<string> get = free.GetAsync().AsTask();
        Assert.Equal("LoopPriorityQueue<String>: 0 items, 0 puts and 1 gets waiting, 0 tasks unfinished", free.ToString());

        bounded.GetNow();
        free.PutNow("");
        await put;
        await get;
    });

    [Theory, LoopStacks]
    [Contract("L-Q-09")]
    public Task PriorityQueue_RandomItems_ComeInOrderAndEqualOnesAsPut(LoopStack stack) => StartLoop(stack).RunAsync(loop =>
    {
        var random = new Random(7);
        var queue = new LoopPriorityQueue<(int Priority, int Arrival)>(
            loop, comparer: Comparer<(int Priority, int Arrival)>.Create(static (a, b) => a.Priority.CompareTo(b.Priority)));
        (int Priority, int Arrival)[] items = [.. Enumerable.Range(0, 500).Select(i => (random.Next(20), i))];
        Assert.All(items, queue.PutNow);

        Assert.Equal(items.OrderBy(item => item.Priority).ThenBy(item => item.Arrival), Drain(queue));
        return Task.CompletedTask;
    });

    [Theory, LoopStacks]
    [Contract("L-Q-09")]
    public Task LifoQueue_GivesTheNewestFirst(LoopStack stack) => StartLoop(stack).RunAsync(loop =>
    {
        var queue = new LoopLifoQueue<int>(loop);
        Assert.All([1, 3, 2], queue.PutNow);
        Assert.Equal([2, 3, 1], Drain(queue));
        return Task.CompletedTask;
    });

    [Theory, LoopStacks("fifo", "lifo", "priority")]
    [Contract("L-Q-09")]
    public Task AnyKind_SharesTheContract(LoopStack stack, string kind) => StartLoop(stack).RunAsync(async loop =>
    {
        LoopQueue<int> queue = Make(kind, loop, maxSize: 1);
        Assert.Throws<QueueEmptyException>(() => queue.GetNow());
        await Assert.ThrowsAsync<TimeoutException>(() => queue.GetAsync(TimeSpan.Zero, TestContext.Current.CancellationToken).AsTask());
        Task<int> get = queue.GetAsync().AsTask();
        queue.PutNow(1);
        Assert.Equal(1, await get);
        queue.PutNow(5);
        Assert.Throws<QueueFullException>(() => queue.PutNow(6));
        await Assert.ThrowsAsync<TimeoutException>(() => queue.PutAsync(6, TimeSpan.Zero, TestContext.Current.CancellationToken).AsTask());
        Task put = queue.PutAsync(7).AsTask();
        int[] both = [await queue.GetAsync(), await queue.GetAsync()];
        await put;

        // The waiting one comes in first: what is next may be what it brings.
        Assert.Equal(kind == "lifo" ? [7, 5] : [5, 7], both);
        Assert.Equal(3, queue.UnfinishedTasks);
    });

    [Theory, LoopStacks]
    [Contract("L-Q-09")]
    public Task PriorityQueue_ItemsWithoutOrder_AreRefusedAndHarmNothing(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopPriorityQueue<object>(loop, maxSize: 2);
        queue.PutNow(2);
        Assert.Throws<ArgumentException>(() => queue.PutNow("two"));
        queue.PutNow(1);
        Task put = queue.PutAsync("two").AsTask();
        Assert.Equal(1, queue.GetNow());
        await Assert.ThrowsAsync<ArgumentException>(() => put);
        Assert.Equal(2, queue.GetNow());
        Assert.True(queue.IsEmpty);
    });

    internal static LoopQueue<int> Make(string kind, IEventLoop loop, int maxSize) => kind switch
    {
        "lifo" => new LoopLifoQueue<int>(loop, maxSize),
        "priority" => new LoopPriorityQueue<int>(loop, maxSize),
        _ => new LoopQueue<int>(loop, maxSize),
    };

    private static List<T> Drain<T>(LoopQueue<T> queue)
    {
        var items = new List<T>();
        while (queue.TryGet(out T? item))
        {
            items.Add(item);
        }

        return items;
    }
}
