using LoopBridge.Coordination;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Putting items.</summary>
public sealed class QueuePutTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-Q-06")]
    public Task PutAsync_Full_WaitsForRoom(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        await queue.PutAsync(0);
        Task put = queue.PutAsync(1).AsTask();
        await loop.SettleAsync();
        Assert.False(put.IsCompleted);

        Assert.Equal(0, queue.GetNow());

        await put;
        Assert.Equal(1, queue.GetNow());
    });

    [Theory, LoopStacks]
    [Contract("L-Q-06")]
    public Task PutNow_Full_Throws(LoopStack stack) => StartLoop(stack).RunAsync(loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        queue.PutNow(0);
        Assert.Throws<QueueFullException>(() => queue.PutNow(1));
        Assert.False(queue.TryPut(1));
        Assert.Equal(0, queue.GetNow());
        Assert.True(queue.IsEmpty);
        return Task.CompletedTask;
    });

    [Theory, LoopStacks]
    [Contract("L-Q-06")]
    public Task PutNow_GettersWait_ServesTheLongestWaitingOneLater(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<string>(loop);
        var order = new List<string>();
        Task first = Take("first");
        Task second = Take("second");

        queue.PutNow("a");
        order.Add("put returned");
        queue.PutNow("b");
        Assert.Equal((0, 0), (queue.Count, queue.WaitingGets));
        await Task.WhenAll(first, second);

        Assert.Equal(["put returned", "first a", "second b"], order);

        async Task Take(string name)
        {
            string item = await queue.GetAsync();
            order.Add($"{name} {item}");
        }
    });

    [Theory, LoopStacks]
    [Contract("L-Q-06"), Contract("L-FUT-15")]
    public Task Put_ServesAGetter_GoesOnInOrderWithCallbacks(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        var order = new List<string>();
        Task taker = TakeAsync();

        loop.AddCallback(() => order.Add("callback before"));
        queue.PutNow(1);
        loop.AddCallback(() => order.Add("callback after"));
        await loop.SettleAsync();

        Assert.Equal(["callback before", "taken", "callback after"], order);
        await taker;

        async Task TakeAsync()
        {
            await queue.GetAsync();
            order.Add("taken");
        }
    });

    [Theory, LoopStacks]
    [Contract("L-Q-07")]
    public Task PutAsync_TimesOut_TheItemNeverEnters(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        queue.PutNow(0);
        Task late = queue.PutAsync(1, 1.Seconds()).AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);

        Assert.Equal(0, await queue.GetAsync());
        Assert.False(queue.TryGet(out _));
        Assert.Equal(1, queue.UnfinishedTasks);
    });

    [Theory, LoopStacks]
    [Contract("L-Q-07")]
    public Task PutAsync_AdmittedBeforeTheDeadline_Succeeds(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        queue.PutNow(0);
        Task put = queue.PutAsync(1, 1.Seconds()).AsTask();
        queue.GetNow();
        _clock.Advance(2.Seconds());

        await put;
        Assert.Equal(1, queue.GetNow());
    });

    [Theory, LoopStacks]
    [Contract("L-Q-07")]
    public Task PutAsync_ManyTimeOuts_LeaveNobodyInLine(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        queue.PutNow(0);
        Task[] late = [.. Enumerable.Range(0, 1000).Select(i => queue.PutAsync(i, 1.Seconds()).AsTask())];
        Assert.Equal(1000, queue.WaitingPuts);
        await loop.PassAsync(_clock, 2.Seconds());

        Assert.Equal(0, queue.WaitingPuts);
        foreach (Task task in late)
        {
            await Assert.ThrowsAsync<TimeoutException>(() => task);
        }
    });

    [Theory, LoopStacks]
    [Contract("L-Q-07")]
    public Task PutAsync_PassesOverGetsThatTimedOut(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop);
        Task<int> late = queue.GetAsync(1.Seconds()).AsTask();
        Task<int> patient = queue.GetAsync().AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);

        await queue.PutAsync(4);

        Assert.Equal(4, await patient);
        Assert.True(queue.IsEmpty);
    });

    [Theory, LoopStacks]
    [Contract("L-Q-07")]
    public Task PutAsync_Cancelled_TheItemNeverEnters(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var queue = new LoopQueue<int>(loop, maxSize: 1);
        using var cancellation = new CancellationTokenSource();
        queue.PutNow(0);
        Task cancelled = queue.PutAsync(1, cancellationToken: cancellation.Token).AsTask();
        Task next = queue.PutAsync(2).AsTask();

        cancellation.Cancel();
        Assert.Equal(0, queue.GetNow());

        await next;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(2, queue.GetNow());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queue.PutAsync(3, cancellationToken: cancellation.Token).AsTask());
        Assert.True(queue.IsEmpty);
    });
}
