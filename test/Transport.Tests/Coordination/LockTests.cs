using LoopBridge.Coordination;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>One at a time.</summary>
public sealed class LockTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-LOCK-07")]
    public Task AcquireAndRelease_TellTheState(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        Assert.Equal("LoopLock: free, 0 waiting", door.ToString());
        Assert.True(door.TryAcquire(out LoopPermit permit));
        Assert.False(door.TryAcquire(out _));
        Task<LoopPermit> waiting = door.AcquireAsync().AsTask();
        Assert.Equal("LoopLock: held, 1 waiting", door.ToString());

        permit.Dispose();
        Assert.True(door.IsHeld); // handed over, never free in between
        Assert.False(waiting.IsCompleted);
        await waiting;
        door.Release();
        Assert.False(door.IsHeld);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-07")]
    public Task AcquireAsync_Contended_IsFirstComeFirstServed(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        var order = new List<string>();
        Task[] users = [.. Enumerable.Range(0, 5).Select(UseAsync)];
        order.Add("all asked");
        await Task.WhenAll(users);
        Assert.Equal(["0 in", "all asked", "0 out", "1 in", "1 out", "2 in", "2 out", "3 in", "3 out", "4 in", "4 out"], order);

        async Task UseAsync(int number)
        {
            using (await door.AcquireAsync())
            {
                order.Add($"{number} in");
                await loop.Moment();
                order.Add($"{number} out"); // the release below does not run the next one inside
            }
        }
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-07"), Contract("L-FUT-15")]
    public Task Release_NextOwner_GoesOnThroughTheLoop(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        var order = new List<string>();
        await door.AcquireAsync();
        Task next = TakeAsync();

        loop.AddCallback(() => order.Add("callback before"));
        door.Release();
        order.Add("release returned");
        loop.AddCallback(() => order.Add("callback after"));
        await next;
        await loop.SettleAsync();

        Assert.Equal(["release returned", "callback before", "next owner", "callback after"], order);

        async Task TakeAsync()
        {
            await door.AcquireAsync();
            Assert.True(loop.IsOnLoopThread);
            Assert.Same(loop.SynchronizationContext, SynchronizationContext.Current);
            order.Add("next owner");
        }
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-07")]
    public Task Release_Free_Throws(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        Assert.Throws<InvalidOperationException>(door.Release);
        await door.AcquireAsync();
        door.Release();
        Assert.Throws<InvalidOperationException>(door.Release);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-07"), Contract("L-LOCK-05")]
    public Task Release_ByHand_SpendsThePermitOfTheHolder(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        LoopPermit first = await door.AcquireAsync();
        door.Release();
        await door.AcquireAsync();

        first.Dispose(); // not the second holder's

        Assert.True(door.IsHeld);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-07")]
    public Task AcquireAsync_TimesOutOrIsCancelled_TakesNothing(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        using var cancellation = new CancellationTokenSource();
        LoopPermit held = await door.AcquireAsync();
        Task<LoopPermit> late = door.AcquireAsync(1.Seconds()).AsTask();
        Task<LoopPermit> cancelled = door.AcquireAsync(cancellationToken: cancellation.Token).AsTask();
        Task<LoopPermit> patient = door.AcquireAsync().AsTask();
        await loop.PassAsync(_clock, 2.Seconds());
        await Assert.ThrowsAsync<TimeoutException>(() => late);

        cancellation.Cancel();
        held.Dispose();

        (await patient).Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(door.IsHeld);
    });
}
