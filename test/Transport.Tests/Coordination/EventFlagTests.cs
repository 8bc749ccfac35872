using LoopBridge.Coordination;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>A flag to wait for.</summary>
public sealed class EventFlagTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-LOCK-03")]
    public Task Set_WakesAllWaitersAndStaysSet(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var flag = new LoopEventFlag(loop);
        Assert.False(flag.IsSet);
        Task[] waiters = [flag.WaitAsync().AsTask(), flag.WaitAsync().AsTask()];
        Assert.Equal("LoopEventFlag: clear, 2 waiting", flag.ToString());
        flag.Set();
        flag.Set();
        Assert.All(waiters, static task => Assert.False(task.IsCompleted)); // later, and not inside the call
        await Task.WhenAll(waiters);

        Assert.True(flag.IsSet);
        Assert.True(flag.WaitAsync().AsTask().IsCompletedSuccessfully);
        Assert.Equal("LoopEventFlag: set, 0 waiting", flag.ToString());
        flag.Clear();
        Task next = flag.WaitAsync().AsTask();
        await loop.SettleAsync();
        Assert.False(next.IsCompleted);
        flag.Set();
        await next;
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-03")]
    public Task Set_ClearedRightAfter_ReleasesThoseWhoWaited(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var flag = new LoopEventFlag(loop);
        Task[] waiters = [.. Enumerable.Range(0, 3).Select(_ => flag.WaitAsync().AsTask())];
        flag.Set();
        flag.Clear();
        Task late = flag.WaitAsync().AsTask();
        await Task.WhenAll(waiters);
        await loop.SettleAsync();
        Assert.False(late.IsCompleted);
        flag.Set();
        await late;
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-03")]
    public Task WaitAsync_Deadline_TimeOutIsAnError(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var flag = new LoopEventFlag(loop);
        Task late = flag.WaitAsync(1.Seconds()).AsTask();
        Task patient = flag.WaitAsync(10.Seconds()).AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);
        Assert.Equal(1, flag.Waiting);
        flag.Set();
        await patient;
        await flag.WaitAsync(TimeSpan.Zero);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-03")]
    public Task WaitAsync_Cancelled_Throws(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var flag = new LoopEventFlag(loop);
        using var cancellation = new CancellationTokenSource();
        Task waiting = flag.WaitAsync(cancellationToken: cancellation.Token).AsTask();
        await Task.Run(cancellation.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flag.WaitAsync(cancellationToken: cancellation.Token).AsTask());
        Assert.Equal(0, flag.Waiting);
    });
}
