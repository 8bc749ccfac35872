using LoopBridge.Coordination;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Marking work as done, and many at work.</summary>
public sealed class QueueWorkTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-Q-08")]
    public Task TaskDone_MoreOftenThanPut_Throws(LoopStack stack) => StartLoop(stack).RunAsync(loop =>
    {
        var queue = new LoopQueue<int>(loop);
        Assert.Throws<InvalidOperationException>(queue.TaskDone);
        queue.PutNow(1);
        queue.TaskDone();
        Assert.Throws<InvalidOperationException>(queue.TaskDone);
        return Task.CompletedTask;
    });

    [Theory, LoopStacks("fifo", "lifo", "priority")]
    [Contract("L-Q-08"), Contract("L-Q-09")]
    public Task JoinAsync_SomeUnfinished_WaitsForTheLastMark(LoopStack stack, string kind) => StartLoop(stack).RunAsync(async loop =>
    {
        LoopQueue<int> queue = QueueBasicTests.Make(kind, loop, maxSize: 0);
        Assert.True(queue.JoinAsync().AsTask().IsCompletedSuccessfully); // nothing was put
        Task<int> handedOver = queue.GetAsync().AsTask();
        for (int i = 0; i < 100; i++)
        {
            queue.PutNow(i);
        }

        Task joined = queue.JoinAsync().AsTask();
        await handedOver;
        for (int i = 1; i < 100; i++)
        {
            queue.TaskDone();
            await queue.GetAsync();
            Assert.Equal(100 - i, queue.UnfinishedTasks);
        }

        await loop.SettleAsync();
        Assert.False(joined.IsCompleted); // all are taken, but one is not done
        queue.TaskDone();
        Assert.False(joined.IsCompleted); // and not inside the mark
        await joined;
        Assert.True(queue.JoinAsync().AsTask().IsCompletedSuccessfully);
    });

    [Theory, LoopStacks]
    [Contract("L-Q-08")]
    public Task JoinAsync_Deadline_IsHonoured(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        queue.PutNow(1);
        Task late = queue.JoinAsync(1.Seconds()).AsTask();
        Task patient = queue.JoinAsync().AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);

        queue.TaskDone();

        await patient;
        await queue.JoinAsync(TimeSpan.Zero);
    });

    [Theory, LoopStacks(1, 3)]
    [Contract("L-Q-10")]
    public Task ProducerAndConsumer_Bounded_AlternateWithoutLoss(LoopStack stack, int maxSize) => StartLoop(stack).RunAsync(async loop =>
    {
        const int Items = 200;
        var queue = new LoopQueue<int>(loop, maxSize);
        var history = new List<string>();
        Task consumer = ConsumeAsync();
        for (int i = 0; i < Items; i++)
        {
            await queue.PutAsync(i);
            Assert.InRange(queue.Count, 0, maxSize);
            history.Add($"put {i}");
        }

        await queue.JoinAsync();
        await consumer;

        Assert.Equal(Enumerable.Range(0, Items).Select(i => $"got {i}"), history.Where(line => line[0] == 'g'));
        int ahead = 0;
        foreach (string line in history)
        {
            // Each side may be noted up to one step after it happened, because it goes on later.
            ahead += line[0] == 'p' ? 1 : -1;
            Assert.InRange(ahead, -1 - maxSize, maxSize + 1);
        }

        async Task ConsumeAsync()
        {
            for (int i = 0; i < Items; i++)
            {
                int item = await queue.GetAsync();
                history.Add($"got {item}");
                await loop.Moment();
                queue.TaskDone();
            }
        }
    });

    [Theory, LoopStacks("fifo", "lifo", "priority")]
    [Contract("L-Q-10"), Contract("L-Q-09")]
    public Task ManyProducersAndConsumers_RandomPauses_LoseAndDoubleNothing(LoopStack stack, string kind)
        => StartLoop(stack).RunAsync(async loop =>
    {
        const int Producers = 5;
        const int Each = 100;
        var random = new Random(11);
        LoopQueue<int> queue = QueueBasicTests.Make(kind, loop, maxSize: 4);
        var taken = new List<int>();
        using var end = new CancellationTokenSource();
        Task[] consumers = [.. Enumerable.Range(0, 3).Select(_ => ConsumeAsync())];
        await Task.WhenAll(Enumerable.Range(0, Producers).Select(ProduceAsync));
        await queue.JoinAsync();
        end.Cancel();
        foreach (Task consumer in consumers)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => consumer);
        }

        Assert.Equal(Enumerable.Range(0, Producers * Each), taken.Order());
        Assert.Equal((0, 0, 0), (queue.Count, queue.WaitingGets, queue.WaitingPuts));

        async Task ProduceAsync(int producer)
        {
            for (int i = 0; i < Each; i++)
            {
                await queue.PutAsync((producer * Each) + i);
                await PauseAsync();
            }
        }

        async Task ConsumeAsync()
        {
            await foreach (int item in queue.WithCancellation(end.Token))
            {
                taken.Add(item);
                await PauseAsync();
                queue.TaskDone();
            }
        }

        async Task PauseAsync()
        {
            for (int turns = random.Next(3); turns > 0; turns--)
            {
                await loop.Moment();
            }
        }
    });
}
