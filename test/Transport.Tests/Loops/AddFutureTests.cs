using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Callbacks for tasks.</summary>
public sealed class AddFutureTests : LoopContract
{
    private readonly AsyncLocal<string?> _ambient = new();

    [Theory, LoopStacks]
    [Contract("L-FUT-01"), Contract("L-INV-04")]
    public void AddFuture_FinishedTask_RunsInTheNextTurn(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var order = new List<string>();
        loop.AddCallback(() =>
        {
            loop.AddFuture(Task.FromResult(42), task => order.Add($"future {task.Result}"));
            loop.AddCallback(() => order.Add("next turn"));
            order.Add("returned");
        });
        loop.AddCallback(() => order.Add("same turn"));
        loop.RunTurns(2);
        Assert.Equal(["returned", "same turn", "future 42", "next turn"], order);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-01")]
    public void AddFuture_FinishedOnTheLoop_RunsInTheNextTurn(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var order = new List<string>();
        var source = new TaskCompletionSource();
        loop.AddFuture(source.Task, _ => order.Add("future"));
        loop.AddCallback(() =>
        {
            source.SetResult();
            loop.AddCallback(() => order.Add("next turn"));
            order.Add("finished");
        });
        loop.RunTurns(2);
        Assert.Equal(["finished", "future", "next turn"], order);
    }

    [Theory, LoopStacks("result", "failure", "cancellation")]
    [Contract("L-FUT-01")]
    public async Task AddFuture_FinishedByAnotherThread_RunsOnTheLoopWithTheTask(LoopStack stack, string outcome)
    {
        LoopThread thread = StartLoop(stack);
        var source = new TaskCompletionSource<int>();
        var heard = new TaskCompletionSource<(bool OnLoop, Task<int> Task)>(TaskCreationOptions.RunContinuationsAsynchronously);
        thread.Loop.AddFuture(source.Task, task => heard.SetResult((thread.Loop.IsOnLoopThread, task)));
        await Task.Run(() =>
        {
            switch (outcome)
            {
                case "result":
                    source.SetResult(7);
                    break;
                case "failure":
                    source.SetException(new InvalidDataException());
                    break;
                default:
                    source.SetCanceled();
                    break;
            }
        }, TestContext.Current.CancellationToken).WithDeadline();
        (bool onLoop, Task<int> task) = await heard.Task.WithDeadline();
        Assert.True(onLoop);
        Assert.Same(source.Task, task);
        Assert.Equal(outcome == "failure", task.Exception is not null);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-02")]
    public async Task AddFuture_AmbientContext_IsTheOneOfTheCall(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var source = new TaskCompletionSource();
        var seen = new List<string?>();
        void Look(Task task) => seen.Add(_ambient.Value);
        _ambient.Value = "first";
        thread.Loop.AddFuture(source.Task, Look);
        thread.Loop.AddFuture(Task.CompletedTask, Look);
        _ambient.Value = "second";
        thread.Loop.AddFuture(source.Task, Look);
        using (ExecutionContext.SuppressFlow())
        {
            thread.Loop.AddFuture(source.Task, Look);
        }

        _ambient.Value = "finisher";
        source.SetResult();
        await thread.Do(static () => { });
        Assert.Equal(["first", "first", "second", null], seen);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-02")]
    public void AddFuture_CallbackThrows_IsLoggedOnceAndNamed(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var failed = Task.FromException(new InvalidOperationException("the task's own"));
        loop.AddFuture(failed, Failing);
        loop.RunTurns(1);
        LogEntry entry = Log.TakeSingle(LogLevel.Error);
        Assert.IsType<InvalidDataException>(entry.Exception);
        Assert.Contains($"{nameof(AddFutureTests)}.{nameof(Failing)}", entry.Message, StringComparison.Ordinal);
        Assert.NotNull(failed.Exception);
    }

    private static void Failing(Task task) => throw new InvalidDataException();
}
