using LoopBridge.Coordination;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Permits, counted.</summary>
public sealed class SemaphoreTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-LOCK-04"), Contract("L-LOCK-06")]
    public void Constructor_NegativeCount_Throws(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoopSemaphore(loop, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BoundedLoopSemaphore(loop, -1));
    }

    [Theory, LoopStacks]
    [Contract("L-LOCK-04")]
    public Task AcquireAsync_NoPermit_WaitersInOrder(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop, 2);
        await semaphore.AcquireAsync();
        await semaphore.AcquireAsync();
        var order = new List<int>();
        Task[] waiters = [.. Enumerable.Range(0, 3).Select(TakeAsync)];
        Assert.Equal("LoopSemaphore: 0 free, 3 waiting", semaphore.ToString());

        semaphore.Release();
        Assert.False(semaphore.TryAcquire(out _)); // it is the first waiter's already
        await loop.SettleAsync();
        Assert.Equal([0], order);
        semaphore.Release();
        semaphore.Release();
        await Task.WhenAll(waiters);
        Assert.Equal([0, 1, 2], order);
        Assert.Equal((0, 0), (semaphore.CurrentCount, semaphore.Waiting));

        async Task TakeAsync(int number)
        {
            await semaphore.AcquireAsync();
            order.Add(number);
        }
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-04"), Contract("L-LOCK-05")]
    public Task AcquireAsync_TimesOut_TakesNoPermitAndReleasesNone(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop, 1);
        LoopPermit held = await semaphore.AcquireAsync();
        Task late = UseAsync(1.Seconds());
        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);
        Assert.Equal((0, 0), (semaphore.CurrentCount, semaphore.Waiting));

        held.Dispose();
        Assert.Equal(1, semaphore.CurrentCount);
        await UseAsync(1.Seconds());
        Assert.Equal(1, semaphore.CurrentCount);

        async Task UseAsync(TimeSpan timeout)
        {
            using (await semaphore.AcquireAsync(timeout))
            {
                await loop.Moment();
            }
        }
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-04")]
    public Task AcquireAsync_ServedBeforeTheDeadline_HasThePermit(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop, 0);
        Task<LoopPermit> acquire = semaphore.AcquireAsync(1.Seconds()).AsTask();
        semaphore.Release();
        _clock.Advance(2.Seconds());
        using (await acquire)
        {
            Assert.Equal(0, semaphore.CurrentCount);
        }

        Assert.Equal(1, semaphore.CurrentCount);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-04")]
    public Task Release_NotAcquired_GrowsBeyondTheStart(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop);
        semaphore.Release();
        semaphore.Release();
        Assert.Equal(3, semaphore.CurrentCount);
        for (int i = 0; i < 3; i++)
        {
            await semaphore.AcquireAsync();
        }

        Assert.Equal(0, semaphore.CurrentCount);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-04")]
    public Task AcquireAsync_ManyTimeOuts_LeaveNobodyInLine(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop, 0);
        Task<LoopPermit>[] late = [.. Enumerable.Range(0, 101).Select(_ => semaphore.AcquireAsync(1.Seconds()).AsTask())];
        Task<LoopPermit> patient = semaphore.AcquireAsync().AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        Assert.Equal(1, semaphore.Waiting);
        foreach (Task<LoopPermit> task in late)
        {
            await Assert.ThrowsAsync<TimeoutException>(() => task);
        }

        semaphore.Release();
        await patient;
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-06")]
    public Task BoundedRelease_BeyondTheStart_Throws(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var semaphore = new BoundedLoopSemaphore(loop, 2);
        Assert.Equal(2, semaphore.MaximumCount);
        Assert.Throws<InvalidOperationException>(semaphore.Release);
        LoopPermit permit = await semaphore.AcquireAsync();
        semaphore.Release();
        Assert.Throws<InvalidOperationException>(semaphore.Release);
        Assert.Throws<InvalidOperationException>(permit.Dispose); // released by hand already
        Assert.Equal(2, semaphore.CurrentCount);
    });
}
