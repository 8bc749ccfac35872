using LoopBridge.Coordination;
using LoopBridge.Deferreds;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Waiting for many.</summary>
public sealed class MultiTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-GEN-04")]
    public Task MultiAsync_ListOfMixedKinds_GivesResultsInOrder(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var late = new Deferred<int>();
        var task = new TaskCompletionSource<int>();
        Task<int[]> all = loop.MultiAsync<int>([late, Task.FromResult(2), Deferred.Succeed(3), task.Task, new ValueTask<int>(5), late]);
        await loop.SettleAsync();
        Assert.False(all.IsCompleted);
        late.Callback(1);
        await Task.Run(() => task.SetResult(4));

        int[] results = await all;
        Assert.Equal([1, 2, 3, 4, 5, 1], results);
        Assert.True(loop.IsOnLoopThread);
        Assert.Equal(1, await late); // only awaited: its result is still there
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-04")]
    public Task MultiAsync_Map_GivesAMapOfTheSameKeys(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var late = new Deferred<int>();
        Task<Dictionary<string, int>> mixed = loop.MultiAsync(new Dictionary<string, LoopAwaitable<int>>
        {
            ["a"] = late,
            ["b"] = Task.FromResult(2),
        });
        Task<Dictionary<string, int>> tasks = loop.MultiAsync(new Dictionary<string, Task<int>> { ["c"] = Task.FromResult(3) });
        await loop.SettleAsync();
        Assert.False(mixed.IsCompleted);
        late.Callback(1);

        Assert.Equal(new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 }, await mixed);
        Assert.Equal(new Dictionary<string, int> { ["c"] = 3 }, await tasks);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-04")]
    public Task MultiAsync_Empty_IsDoneAtOnce(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        Task<int[]> list = loop.MultiAsync(Array.Empty<Task<int>>());
        Task<Dictionary<string, int>> map = loop.MultiAsync(new Dictionary<string, Task<int>>());
        Task nothing = loop.MultiAsync(Array.Empty<Task>());
        Assert.True(list.IsCompletedSuccessfully && map.IsCompletedSuccessfully && nothing.IsCompletedSuccessfully);
        Assert.Empty(await list);
        Assert.Empty(await map);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-04")]
    public Task MultiAsync_Thousands_CostIsLinear(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        // A quadratic one would still be at it at the deadline.
        const int Many = 50_000;
        Deferred<int>[] inputs = [.. Enumerable.Range(0, Many).Select(_ => new Deferred<int>())];
        Task<int[]> all = loop.MultiAsync(inputs.Select(input => (LoopAwaitable<int>)input));
        for (int i = 0; i < Many; i++)
        {
            inputs[i].Callback(i);
        }

        Assert.Equal(Enumerable.Range(0, Many), await all);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-05")]
    public Task MultiAsync_SeveralErrors_ThrowsTheFirstInOrderWhenAllAreDone(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var first = new Deferred<int>();
        var second = new TaskCompletionSource<int>();
        var third = new TaskCompletionSource<int>();
        Task<int[]> all = loop.MultiAsync<int>([first, second.Task, third.Task, second.Task]);
        second.SetException(new InvalidOperationException("second"));
        await loop.SettleAsync();
        Assert.False(all.IsCompleted);
        third.SetException(new ArgumentException("third"));
        var error = new FormatException("first");
        first.Errback(error);

        Assert.Same(error, await Assert.ThrowsAsync<FormatException>(() => all));
        await loop.SettleAsync();
        Assert.Equal(["second", "third"], Log.Take(LogLevel.Error).Select(entry => entry.Exception!.Message));
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-05")]
    public Task MultiAsync_QuietTypes_AreNotLogged(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        Task<int>[] failing =
        [
            Task.FromException<int>(new FormatException()),
            Task.FromException<int>(new IOException("quiet")),
            Task.FromException<int>(new FileNotFoundException("quiet too, because it is an IOException")),
            Task.FromException<int>(new TimeoutException("loud")),
            Task.FromCanceled<int>(new CancellationToken(canceled: true)),
        ];

        await Assert.ThrowsAsync<FormatException>(() => loop.MultiAsync(failing, quiet: [typeof(IOException)]));
        await loop.SettleAsync();
        Assert.Equal("loud", Log.TakeSingle(LogLevel.Error).Exception!.Message);
        await Assert.ThrowsAsync<FormatException>(() => loop.MultiAsync(failing, quiet: [typeof(Exception)]));
        await Assert.ThrowsAsync<FormatException>(() => loop.MultiAsync((Task[])failing, quiet: [typeof(Exception)]));
        await Assert.ThrowsAsync<IOException>(() => loop.MultiAsync(
            failing.Skip(1).ToDictionary(task => task.Id), quiet: [typeof(Exception)]));
        await loop.SettleAsync();
    });
}
