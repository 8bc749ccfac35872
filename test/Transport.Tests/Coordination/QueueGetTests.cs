using LoopBridge.Coordination;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Taking items.</summary>
public sealed class QueueGetTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-Q-02")]
    public Task GetAsync_Empty_WaitsForAnItem(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        Task<int> get = queue.GetAsync().AsTask();
        await loop.SettleAsync();
        Assert.False(get.IsCompleted);
        Assert.Equal(1, queue.WaitingGets);

        queue.PutNow(3);

        Assert.Equal(3, await get);
        Assert.True(loop.IsOnLoopThread);
        Assert.Equal((0, 0), (queue.Count, queue.WaitingGets));
    });

    [Theory, LoopStacks]
    [Contract("L-Q-02")]
    public Task GetNow_Empty_Throws(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<string>(loop);
        Assert.Throws<QueueEmptyException>(() => queue.GetNow());
        Assert.False(queue.TryGet(out _));

        await queue.PutAsync("a");
        await queue.PutAsync("b");

        Assert.Equal("a", queue.GetNow());
        Assert.True(queue.TryGet(out string? item));
        Assert.Equal("b", item);
        Assert.Throws<QueueEmptyException>(() => queue.GetNow());
    });

    [Theory, LoopStacks]
    [Contract("L-Q-03")]
    public Task GetAsync_FullWithWaitingPuts_TakesTheOldestAndAdmitsOne(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        queue.PutNow(0);
        Task first = queue.PutAsync(1).AsTask();
        Task second = queue.PutAsync(2).AsTask();
        Assert.Equal(2, queue.WaitingPuts);

        Assert.Equal(0, await queue.GetAsync());
        await first;
        Assert.False(second.IsCompleted);
        Assert.Equal((1, 1), (queue.Count, queue.WaitingPuts));
        Assert.Equal(1, await queue.GetAsync());
        Assert.Equal(2, await queue.GetAsync());
        await second;
    });

    [Theory, LoopStacks]
    [Contract("L-Q-04")]
    public Task GetAsync_TimesOut_LosesNoItem(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        Task<int> late = queue.GetAsync(1.Seconds()).AsTask();
        Task<int> patient = queue.GetAsync(10.Seconds()).AsTask();

        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);
        Assert.Equal(1, queue.WaitingGets);
        queue.PutNow(7);

        Assert.Equal(7, await patient);
    });

    [Theory, LoopStacks]
    [Contract("L-Q-04")]
    public Task GetAsync_ServedBeforeTheDeadline_KeepsTheItem(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        Task<int> get = queue.GetAsync(1.Seconds()).AsTask();

        queue.PutNow(5);
        _clock.Advance(2.Seconds()); // the getter has not gone on yet, but its outcome is settled

        Assert.Equal(5, await get);
        await loop.PassAsync(_clock, 2.Seconds());
    });

    [Theory, LoopStacks]
    [Contract("L-Q-04")]
    public Task GetAsync_SpanThatIsOver_TimesOutLaterAndNotInTheCall(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        Task<int> get = queue.GetAsync(-5.Seconds()).AsTask();
        Assert.False(get.IsCompleted);
        await Assert.ThrowsAsync<TimeoutException>(() => get);

        queue.PutNow(1);
        Assert.Equal(1, await queue.GetAsync(-5.Seconds()));
    });

    [Theory, LoopStacks]
    [Contract("L-Q-04")]
    public Task GetAsync_ManyTimeOuts_LeaveNobodyInLine(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        Task<int>[] late = [.. Enumerable.Range(0, 1000).Select(_ => queue.GetAsync(1.Seconds()).AsTask())];
        Assert.Equal(1000, queue.WaitingGets);
        await loop.PassAsync(_clock, 2.Seconds());

        Assert.Equal(0, queue.WaitingGets);
        Assert.All(late, static task => Assert.True(task.IsFaulted));
        foreach (Task<int> task in late)
        {
            await Assert.ThrowsAsync<TimeoutException>(() => task);
        }
    });

    [Theory, LoopStacks]
    [Contract("L-Q-04")]
    public Task GetAsync_OfAFullQueue_PassesOverPutsThatTimedOut(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        queue.PutNow(0);
        Task late = queue.PutAsync(1, 1.Seconds()).AsTask();
        Task patient = queue.PutAsync(2, 10.Seconds()).AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);

        Assert.Equal(0, await queue.GetAsync());
        Assert.Equal(2, await queue.GetAsync());
        await patient;
        Assert.True(queue.IsEmpty);
    });

    [Theory, LoopStacks]
    [Contract("L-Q-04")]
    public Task GetAsync_CancelledFromAnotherThread_TakesNothing(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        using var cancellation = new CancellationTokenSource();
        Task<int> get = queue.GetAsync(cancellationToken: cancellation.Token).AsTask();

        await Task.Run(cancellation.Cancel);

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
        Assert.Equal(cancellation.Token, thrown.CancellationToken);
        Assert.True(get.IsCanceled);
        Assert.Equal(0, queue.WaitingGets);
    });

    [Theory, LoopStacks]
    [Contract("L-Q-04")]
    public Task Put_RightAfterACancellation_ServesTheNextInLine(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        using var cancellation = new CancellationTokenSource();
        Task<int> cancelled = queue.GetAsync(cancellationToken: cancellation.Token).AsTask();
        Task<int> next = queue.GetAsync().AsTask();

        cancellation.Cancel();
        queue.PutNow(9);

        Assert.Equal(9, await next);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queue.GetAsync(cancellationToken: cancellation.Token).AsTask());
    });

    [Theory, LoopStacks]
    [Contract("L-Q-05")]
    public Task AwaitForEach_GetsItemsUntilCancelled(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        using var cancellation = new CancellationTokenSource();
        var seen = new List<int>();
        Task consumer = ConsumeAsync();
        for (int i = 0; i < 5; i++)
        {
            queue.PutNow(i);
            await loop.SettleAsync();
        }

        Assert.Equal([0, 1, 2, 3, 4], seen);
        Assert.False(consumer.IsCompleted);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => consumer);
        Assert.Equal(0, queue.WaitingGets);

        async Task ConsumeAsync()
        {
            await foreach (int item in queue.WithCancellation(cancellation.Token))
            {
                Assert.True(loop.IsOnLoopThread);
                seen.Add(item);
            }
        }
    });
}
