using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Callbacks that give something back.</summary>
public sealed class TaskCallbackTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-CB-04")]
    public async Task AddCallback_ResultThatCannotBeAwaited_IsIgnoredWithoutABusyLoop(LoopStack stack)
    {
        var clock = new CountingClock();
        LoopThread thread = StartLoop(stack, clock);
        var set = new HashSet<int>();
        var waited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() =>
        {
            thread.Loop.AddCallback(() => set.Add(1));
            thread.Loop.AddCallback(() => set.Remove(2));
            thread.Loop.CallLater(TimeSpan.FromMilliseconds(50), waited.SetResult);
        });
        await waited.Task.WithDeadline();
        Assert.Single(set);
        clock.AssertFewTurns();
    }

    [Theory, LoopStacks]
    [Contract("L-CB-06")]
    public void AddCallback_TaskFails_IsLoggedOnceAndNamesTheCallback(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Action[] ways =
        [
            () => loop.AddCallback(FailAtOnce),
            () => loop.AddCallback(FailLater),
            () => loop.AddCallback(FailAsValueTask),
            () => loop.AddCallback(FailBeforeThereIsATask),
            () => loop.SpawnCallback(FailLater),
            () => loop.AddDeferredCallback(FailAsDeferred),
            () => loop.AddDeferredCallback(() => FailDeferredLater(loop)),
        ];
        foreach (Action way in ways)
        {
            way();
            loop.RunTurns(3);
            LogEntry entry = Log.TakeSingle(LogLevel.Error);
            Assert.IsType<InvalidDataException>(entry.Exception);
            Assert.Contains(nameof(TaskCallbackTests), entry.Message, StringComparison.Ordinal);
        }

        loop.AddCallback(FailLater);
        loop.RunTurns(3);
        Assert.Contains($"{nameof(TaskCallbackTests)}.{nameof(FailLater)}", Log.TakeSingle(LogLevel.Error).Message, StringComparison.Ordinal);
    }

    // C# chooses the form that sees the task; where it cannot, the loop's context catches what escapes.
    [Theory, LoopStacks]
    [Contract("L-CB-06")]
    public void AddCallback_AsyncLambda_FailureIsLoggedOnce(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Action asyncVoid = static async () => await FailLater();
        loop.AddCallback(static async () => await FailLater());
        loop.RunTurns(3);
        Assert.IsType<InvalidDataException>(Log.TakeSingle(LogLevel.Error).Exception);
        loop.AddCallback(asyncVoid);
        loop.RunTurns(4);
        Assert.IsType<InvalidDataException>(Log.TakeSingle(LogLevel.Error).Exception);
        loop.CallLater(TimeSpan.Zero, static async () => await FailLater());
        loop.RunTurns(4);
        Assert.IsType<InvalidDataException>(Log.TakeSingle(LogLevel.Error).Exception);
    }

    [Theory, LoopStacks]
    [Contract("L-CB-06")]
    public void AddCallback_TaskSucceedsOrIsCancelled_IsNoNews(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        bool ended = false;
        loop.AddCallback(async () =>
        {
            await Task.Yield();
            Assert.True(loop.IsOnLoopThread);
            ended = true;
        });
        loop.AddCallback(static () => Task.FromCanceled(new CancellationToken(canceled: true)));
        loop.AddDeferredCallback(static () =>
        {
            var deferred = new Deferred<int>();
            deferred.Cancel();
            return deferred;
        });
        loop.RunTurns(3);
        Assert.True(ended);
        Assert.Empty(Log.AtLeast(LogLevel.Warning));
    }

    [Theory, LoopStacks]
    [Contract("L-CB-06")]
    public void AddCallback_NoTaskAtAll_IsReported(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        loop.AddCallback(static () => (Task)null!);
        loop.AddDeferredCallback(static () => null!);
        loop.RunTurns(1);
        Assert.All(Log.Take(LogLevel.Error), static entry => Assert.IsType<InvalidOperationException>(entry.Exception));
    }

    [Theory, LoopStacks]
    [Contract("L-CB-11")]
    public void AddCallback_AfterClose_RefusesEveryForm(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        loop.Dispose();
        Assert.False(loop.AddCallback(FailLater));
        Assert.False(loop.AddCallback(FailAsValueTask));
        Assert.False(loop.AddDeferredCallback(FailAsDeferred));
        Assert.False(loop.SpawnCallback(FailLater));
        Assert.False(loop.SpawnCallback(static () => { }));
        Assert.False(loop.AddCallbackFromSignal(static () => { }));
        loop.AddFuture(Task.CompletedTask, static _ => Assert.Fail("The loop is closed."));
    }

    private static Task FailAtOnce() => Task.FromException(new InvalidDataException());

    private static async Task FailLater()
    {
        await Task.Yield();
        throw new InvalidDataException();
    }

    private static async ValueTask FailAsValueTask()
    {
        await Task.Yield();
        throw new InvalidDataException();
    }

    private static Task FailBeforeThereIsATask() => throw new InvalidDataException();

    private static Deferred<int> FailAsDeferred() => Deferred.Fail<int>(new InvalidDataException());

    private static Deferred<int> FailDeferredLater(IEventLoop loop)
    {
        var deferred = new Deferred<int>();
        loop.AddCallback(() => deferred.Errback(new InvalidDataException()));
        return deferred;
    }
}
