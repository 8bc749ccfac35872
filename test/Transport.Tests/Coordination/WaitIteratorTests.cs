using System.Runtime.CompilerServices;
using LoopBridge.Coordination;
using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Results in the order in which they come.</summary>
public sealed class WaitIteratorTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-GEN-09")]
    public Task Empty_IsDoneAndReadingIsAnError(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        WaitIterator<int, string> none = WaitIterator.Over(loop, Array.Empty<Task<string>>());
        Assert.True(none.IsDone);
        await Assert.ThrowsAsync<InvalidOperationException>(() => none.NextAsync().AsTask());
        Assert.Throws<InvalidOperationException>(() => none.CurrentKey);
        Assert.Throws<InvalidOperationException>(() => Assert.Null(none.CurrentTask));
        Assert.Empty(await none.ToListAsync(TestContext.Current.CancellationToken));
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-09")]
    public Task NextAsync_InputsThatHaveEnded_ComeInTheOrderOfTheList(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var late = new TaskCompletionSource<int>();
        WaitIterator<int, int> results = WaitIterator.Over(loop, [late.Task, Task.FromResult(1), Task.FromResult(2)]);
        Assert.Equal((1, 1), (await results.NextAsync(), results.CurrentKey));
        Assert.Equal((2, 2), (await results.NextAsync(), results.CurrentKey));
        Assert.False(results.IsDone);
        late.SetResult(0);
        Assert.Equal((0, 0), (await results.NextAsync(), results.CurrentKey));
        Assert.Same(late.Task, results.CurrentTask);
        Assert.True(results.IsDone);
        await Assert.ThrowsAsync<InvalidOperationException>(() => results.NextAsync().AsTask());
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-09")]
    public Task NextAsync_MixedKindsAndThreads_ComeInTheOrderTheyEnd(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var deferred = new Deferred<string>();
        var task = new TaskCompletionSource<string>();
        var threaded = new TaskCompletionSource<string>();
        WaitIterator<string, string> results = WaitIterator.Over(loop, new Dictionary<string, LoopAwaitable<string>>
        {
            ["deferred"] = deferred,
            ["task"] = task.Task,
            ["threaded"] = threaded.Task,
        });
        Task<string> first = results.NextAsync().AsTask();
        await Task.Run(() => threaded.SetResult("1"));
        Assert.Equal("1", await first);
        Assert.Equal("threaded", results.CurrentKey);
        Assert.True(loop.IsOnLoopThread);
        task.SetResult("2");
        Assert.Equal("2", await results.NextAsync());
        Assert.Equal("task", results.CurrentKey);
        deferred.Callback("3");
        Assert.Equal("3", await results.NextAsync());
        Assert.Equal("deferred", results.CurrentKey);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-09")]
    public Task NextAsync_AnInputFails_ThrowsAndTheRestStillComes(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        Task<int>[] inputs = [Task.FromResult(0), Task.FromException<int>(new FormatException()), Task.FromResult(2)];
        WaitIterator<int, int> results = WaitIterator.Over(loop, inputs);
        Assert.Equal(0, await results.NextAsync());
        await Assert.ThrowsAsync<FormatException>(() => results.NextAsync().AsTask());
        Assert.Equal(1, results.CurrentKey);
        Assert.Equal(2, await results.NextAsync());
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-09")]
    public Task AwaitForEach_GivesKeysAndResults(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var seen = new List<(int, string)>();
        var late = new Deferred<string>();
        loop.AddCallback(() => late.Callback("late"));
        await foreach ((int key, string result) in WaitIterator.Over<string>(loop, [late, Task.FromResult("early")]))
        {
            seen.Add((key, result));
        }

        Assert.Equal([(1, "early"), (0, "late")], seen);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-09")]
    public Task NextAsync_OfAnIteratorNobodyHolds_StillEnds(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var input = new TaskCompletionSource<int>();
        ValueTask<int> next = WaitIterator.Over(loop, [input.Task]).NextAsync();
        Collect();
        input.SetResult(3);
        Assert.Equal(3, await next);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-09")]
    public async Task Iterator_IsCollectedWithItsInputs(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        WeakReference[] weak = await thread.Ask(() => Make(thread.Loop));
        await thread.Do(static () => { }); // the loop's last callback is another one now
        Assert.True(SpinWait.SpinUntil(() =>
        {
            Collect();
            return weak.All(static reference => !reference.IsAlive);
        }, Deadline.Default));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Make(IEventLoop loop)
    {
        var input = new TaskCompletionSource<int>();
        var deferred = new Deferred<int>();
        WaitIterator<int, int> iterator = WaitIterator.Over<int>(loop, [input.Task, deferred]);
        Task<int> next = iterator.NextAsync().AsTask();
        return [new(iterator), new(next), new(input), new(deferred)];
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
