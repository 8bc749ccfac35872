using LoopBridge.Coordination;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Waiting for a notification.</summary>
public sealed class ConditionTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();
    private readonly List<string> _history = [];

    [Theory, LoopStacks]
    [Contract("L-LOCK-01")]
    public Task Notify_WakesTheLongestWaitingOne(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        Task[] waiters = Wait(condition, "a", "b", "c");
        condition.Notify();
        Assert.Empty(_history); // later, and not inside the call
        await loop.SettleAsync();
        Assert.Equal(["a"], _history);
        condition.Notify();
        condition.Notify();
        condition.Notify(); // nobody is left, and nobody is owed one
        await Task.WhenAll(waiters);
        Assert.Equal(["a", "b", "c"], _history);
        Task[] later = Wait(condition, "d");
        await loop.SettleAsync();
        Assert.Equal(3, _history.Count);
        condition.Notify();
        await Task.WhenAll(later);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-01")]
    public Task Notify_SoMany_WakesThoseInOrder(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        Task[] waiters = Wait(condition, "a", "b", "c", "d", "e");
        condition.Notify(2);
        await loop.SettleAsync();
        Assert.Equal(["a", "b"], _history);
        condition.Notify(0);
        condition.Notify(10);
        await Task.WhenAll(waiters);
        Assert.Equal(["a", "b", "c", "d", "e"], _history);
        Assert.Throws<ArgumentOutOfRangeException>(() => condition.Notify(-1));
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-01")]
    public Task NotifyAll_WakesAllInOrder(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        Task[] waiters = Wait(condition, "a", "b", "c", "d");
        condition.NotifyAll();
        _history.Add("notified");
        await Task.WhenAll(waiters);
        Assert.Equal(["notified", "a", "b", "c", "d"], _history);
        Assert.Equal(0, condition.Waiting);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-01")]
    public Task NotifyAll_FromAWokenWaiter_ReachesOnlyThoseWhoWaitThen(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        Task first = WaitThenNotifyAsync();
        Task[] others = Wait(condition, "b", "c");

        condition.Notify();
        await Task.WhenAll([first, .. others]);
        Assert.Equal(["a", "b", "c"], _history);

        async Task WaitThenNotifyAsync()
        {
            await condition.WaitAsync();
            _history.Add("a");
            condition.NotifyAll();
        }
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-02")]
    public Task WaitAsync_Deadline_GivesFalseAndOtherwiseTrue(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        Task<bool> late = condition.WaitAsync(1.Seconds()).AsTask();
        Task<bool> patient = condition.WaitAsync(10.Seconds()).AsTask();
        Task<bool> endless = condition.WaitAsync(Timeout.InfiniteTimeSpan).AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        Assert.False(await late);

        condition.Notify(); // passes over the one that timed out
        Assert.True(await patient);
        Assert.False(endless.IsCompleted);
        condition.NotifyAll();
        Assert.True(await endless);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-02")]
    public Task WaitAsync_NotifiedBeforeTheDeadline_GivesTrue(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        Task<bool> wait = condition.WaitAsync(1.Seconds()).AsTask();
        condition.Notify();
        _clock.Advance(2.Seconds());
        Assert.True(await wait);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-02")]
    public Task WaitAsync_ManyTimeOuts_LeaveNobodyInLine(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        Task<bool> patient = condition.WaitAsync().AsTask();
        Task<bool>[] late = [.. Enumerable.Range(0, 101).Select(_ => condition.WaitAsync(1.Seconds()).AsTask())];
        Assert.Equal("LoopCondition: 102 waiting", condition.ToString());
        await loop.PassAsync(_clock, 2.Seconds());

        Assert.Equal(1, condition.Waiting);
        Assert.All(await Task.WhenAll(late), Assert.False);
        condition.NotifyAll();
        Assert.True(await patient);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-02")]
    public Task WaitAsync_Cancelled_IsPassedOver(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var condition = new LoopCondition(loop);
        using var cancellation = new CancellationTokenSource();
        Task<bool> cancelled = condition.WaitAsync(cancellationToken: cancellation.Token).AsTask();
        Task<bool> next = condition.WaitAsync().AsTask();
        cancellation.Cancel();
        condition.Notify();
        Assert.True(await next);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    });

    private Task[] Wait(LoopCondition condition, params string[] names)
    {
        return [.. names.Select(WaitAsync)];

        async Task WaitAsync(string name)
        {
            Assert.True(await condition.WaitAsync());
            _history.Add(name);
        }
    }
}
