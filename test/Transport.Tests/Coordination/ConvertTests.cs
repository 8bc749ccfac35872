using LoopBridge.Coordination;
using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>What can be awaited, and what cannot.</summary>
public sealed class ConvertTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-GEN-03")]
    public Task Convert_NotAwaitable_IsADistinctError(LoopStack stack) => StartLoop(stack).RunAsync(loop =>
    {
        Assert.Throws<NotAwaitableException>(InTheCall(() => loop.Convert(3)));
        Assert.Throws<NotAwaitableException>(InTheCall(() => loop.Convert(new object[] { Task.CompletedTask, 3 })));
        Assert.Throws<NotAwaitableException>(InTheCall(() => LoopTasks.Convert<int>(3)));
        Assert.Throws<NotAwaitableException>(InTheCall(() => LoopTasks.Convert<int>(null)));
        Assert.Throws<NotAwaitableException>(InTheCall(() => LoopTasks.Convert<int>(Task.CompletedTask)));
        Assert.Throws<NotAwaitableException>(InTheCall(() => loop.MultiAsync<int>([(Task<int>)null!])));
        Assert.Throws<NotAwaitableException>(InTheCall(() => loop.MultiAsync(new LoopAwaitable<int>[1])));
        NotAwaitableException error = Assert.Throws<NotAwaitableException>(InTheCall(() => LoopTasks.Convert<int>(Task.FromResult("a"))));
        Assert.Contains("System.Int32", error.Message, StringComparison.Ordinal);
        Assert.Contains("System.String", error.Message, StringComparison.Ordinal);
        return Task.CompletedTask;
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-02"), Contract("L-GEN-03")]
    public Task Convert_AnyKind_GivesItsOutcome(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        object[] kinds = [Task.FromResult(4), new ValueTask<int>(4), Deferred.Succeed(4), (LoopAwaitable<int>)Task.FromResult(4)];
        foreach (object kind in kinds)
        {
            Assert.Equal(4, await LoopTasks.Convert<int>(kind));
        }

        foreach (object kind in new object[] { Task.CompletedTask, ValueTask.CompletedTask, Deferred.Succeed() })
        {
            await loop.Convert(kind);
        }

        await Assert.ThrowsAsync<FormatException>(() => loop.Convert(Deferred.Fail<int>(new FormatException())));
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-02")]
    public Task Await_ADeferred_GivesItsOutcomeWhereATaskWould(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        Assert.Equal(1, await Deferred.Succeed(1));
        var late = new Deferred<int>();
        loop.AddCallback(() => late.Callback(2));
        Assert.Equal(2, await late);
        Assert.True(loop.IsOnLoopThread);
        var error = new FormatException();
        Assert.Same(error, await Assert.ThrowsAsync<FormatException>(async () => await Deferred.Fail<int>(error)));
        int[] both = await Task.WhenAll(Deferred.Succeed(3).ToTask(), Task.FromResult(4));
        Assert.Equal([3, 4], both);
    });

    [Theory, LoopStacks("AwaitThereAsync", "ToTask")]
    [Contract("L-GEN-02")]
    public async Task Await_ADeferredOfAnotherLoop_GoesOnAtHomeInOrder(LoopStack stack, string way)
    {
        LoopThread home = StartLoop(stack);
        LoopThread abroad = StartLoop(stack);
        var deferred = new Deferred<int>();
        await home.RunAsync(async loop =>
        {
            var order = new List<string>();
            using var fired = new ManualResetEventSlim();
            Task awaiting = AwaitAsync();
            if (way == "AwaitThereAsync")
            {
                await abroad.Do(() => { }); // it is awaited there from now on
            }

            // The other loop fires while this one is busy; what was queued before the firing runs before what it resumes.
            loop.AddCallback(() => order.Add("before"));
            abroad.Loop.AddCallback(() =>
            {
                deferred.Callback(5);
                abroad.Loop.AddCallback(fired.Set);
            });
            Assert.True(fired.Wait(Deadline.Default, TestContext.Current.CancellationToken));
            loop.AddCallback(() => order.Add("after"));
            await awaiting;
            await loop.SettleAsync();
            Assert.Equal(["before", "awaited 5", "after"], order);

            async Task AwaitAsync()
            {
                int value = await (way == "ToTask" ? deferred.ToTask() : abroad.Loop.AwaitThereAsync(deferred));
                Assert.True(loop.IsOnLoopThread);
                order.Add($"awaited {value}");
            }
        });
    }

    [Theory, LoopStacks]
    [Contract("L-GEN-02")]
    public async Task AwaitThereAsync_Failure_ComesAsItIs(LoopStack stack)
    {
        LoopThread home = StartLoop(stack);
        LoopThread abroad = StartLoop(stack);
        var error = new FormatException();
        Deferred<int> failed = await abroad.Ask(() => Deferred.Fail<int>(error));
        await home.RunAsync(async loop =>
        {
            Assert.Same(error, await Assert.ThrowsAsync<FormatException>(() => abroad.Loop.AwaitThereAsync(failed)));
            Assert.True(loop.IsOnLoopThread);
        });
        Assert.Same(error, await Assert.ThrowsAsync<FormatException>(() => abroad.RunAsync(loop => loop.AwaitThereAsync(failed))));
        IEventLoop closed = NewLoop(stack);
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(InTheCall(() => closed.AwaitThereAsync(failed)));
    }

    // Thrown by the call itself, and not by what it gives.
    private static Action InTheCall(Func<Task> call) => () => Assert.NotNull(call());
}
