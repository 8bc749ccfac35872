using LoopBridge.Coordination;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>What is acquired for a scope.</summary>
public sealed class PermitTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-LOCK-05")]
    public Task Using_EndsWithAnException_ReleasesOnce(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop);
        await Assert.ThrowsAsync<FormatException>(FailAsync);
        Assert.Equal(1, semaphore.CurrentCount);

        async Task FailAsync()
        {
            using LoopPermit permit = await semaphore.AcquireAsync();
            Assert.Equal(0, semaphore.CurrentCount);
            await loop.Moment();
            throw new FormatException();
        }
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-05")]
    public Task Dispose_Again_ReleasesNothingMore(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop, 2);
        LoopPermit first = await semaphore.AcquireAsync();
        LoopPermit copy = first;
        first.Dispose();
        first.Dispose();
        copy.Dispose();
        Assert.Equal(2, semaphore.CurrentCount);

        LoopPermit second = await semaphore.AcquireAsync(); // may be kept where the first one was
        first.Dispose();
        Assert.Equal(1, semaphore.CurrentCount);
        second.Dispose();
        default(LoopPermit).Dispose();
        Assert.Equal(2, semaphore.CurrentCount);
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-05")]
    public Task Using_Contended_OneAtATimeInOrder(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var semaphore = new LoopSemaphore(loop);
        var history = new List<int>();
        int inside = 0;
        await Task.WhenAll(Enumerable.Range(0, 10).Select(UseAsync));
        Assert.Equal(Enumerable.Range(0, 10), history);
        Assert.Equal(1, semaphore.CurrentCount);

        async Task UseAsync(int number)
        {
            using (await semaphore.AcquireAsync())
            {
                Assert.Equal(1, ++inside);
                history.Add(number);
                await loop.Moment();
                inside--;
            }
        }
    });

    [Theory, LoopStacks]
    [Contract("L-LOCK-05")]
    public Task AcquireAsync_TimesOutOfAScope_ReleasesNothing(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        using (await door.AcquireAsync())
        {
            Task late = UseAsync();
            await loop.PassAsync(_clock, 2.Seconds());
            await Assert.ThrowsAsync<TimeoutException>(() => late);
            Assert.True(door.IsHeld);
        }

        Assert.False(door.IsHeld);

        async Task UseAsync()
        {
            using LoopPermit permit = await door.AcquireAsync(1.Seconds());
            Assert.Fail("It was not to be had.");
        }
    });

    [Fact]
    [Contract("L-LOCK-05"), Contract("L-LOCK-07")]
    public void SynchronousScope_IsRefusedByTheCompiler()
    {
        // "using (door)" and "using (door.AcquireAsync())" do not compile, because neither can be disposed of.
        Assert.All(
            [typeof(LoopLock), typeof(LoopSemaphore), typeof(BoundedLoopSemaphore), typeof(ValueTask<LoopPermit>)],
            static type => Assert.False(typeof(IDisposable).IsAssignableFrom(type)));
    }

    [Theory, LoopStacks]
    [Contract("L-LOCK-05"), Contract("L-LOCK-07")]
    public Task GetResult_WhileItWaits_IsRefused(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var door = new LoopLock(loop);
        LoopPermit held = await door.AcquireAsync();
        ValueTask<LoopPermit> waiting = door.AcquireAsync();

        // Blocking the loop until the loop does something would be for ever.
        Assert.Throws<InvalidOperationException>(() => waiting.GetAwaiter().GetResult());

        held.Dispose();
        (await waiting).Dispose();
        Assert.False(door.IsHeld);
    });
}
