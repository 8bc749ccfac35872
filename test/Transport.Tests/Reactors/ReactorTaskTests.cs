using LoopBridge.Deferreds;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Looping calls, time limits and Tasks on real reactors.</summary>
public sealed class ReactorTaskTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-TASK-06")]
    public async Task LoopingCall_IntervalZero_RunsOncePerTurnAndLetsOthersThrough(ReactorStack stack)
    {
        const int Runs = 20;
        ReactorThread thread = StartReactor(stack);
        var order = new List<string>();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await thread.Do(() =>
        {
            LoopingCall loop = null!;
            int runs = 0;
            loop = new LoopingCall(thread.Reactor, () =>
            {
                order.Add("run");
                thread.Reactor.CallFromThread(() => order.Add("other"));
                if (++runs == Runs)
                {
                    loop.Stop();
                }
            });
            loop.Start(TimeSpan.Zero, now: false).AddCallback(_ => thread.Reactor.CallLater(TimeSpan.Zero, ended.SetResult));
        });
        await ended.Task.WithDeadline();
        await thread.Turn();

        Assert.Equal(Enumerable.Repeat(new[] { "run", "other" }, Runs).SelectMany(each => each), order);
    }

    [Theory, ReactorStacks]
    [Contract("R-DEF-25")]
    public async Task AddTimeout_OnAReactor_IsADelayedCallOfThatReactor(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        Deferred<int> inTime = await thread.Ask(() => new Deferred<int>().AddTimeout(TimeSpan.FromHours(1), thread.Reactor));
        Assert.Single(await thread.Ask(thread.Reactor.GetDelayedCalls));
        await thread.Do(() => inTime.Callback(1));
        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));

        Task<int> late = await thread.Ask(() => new Deferred<int>().AddTimeout(TimeSpan.FromMilliseconds(1), thread.Reactor).ToTask());
        await Assert.ThrowsAsync<TimeoutException>(() => late.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-DEF-33")]
    public async Task FromTask_ThatEndsElsewhere_FiresOnTheReactorThread(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var source = new TaskCompletionSource<int>();
        var seen = new TaskCompletionSource<(int, bool)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() => Deferred.FromTask(source.Task)
            .AddCallback(value => seen.SetResult((value, thread.Reactor.IsInReactorThread))));

        source.SetResult(4);

        Assert.Equal((4, true), await seen.Task.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-DEF-33")]
    public async Task FromTask_FailedOrCancelled_FailsOnTheReactorThread(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var failing = new TaskCompletionSource<int>();
        var cancelled = new TaskCompletionSource<int>();
        Task<int>[] chains = await thread.Ask(() => new[]
        {
            Deferred.FromTask(failing.Task).AddErrback(Check<FormatException>).ToTask(),
            Deferred.FromTask(cancelled.Task).AddErrback(Check<DeferredCancelledException>).ToTask(),
        });

        failing.SetException(new FormatException());
        cancelled.SetCanceled(TestContext.Current.CancellationToken);

        int[] onThread = await Task.WhenAll(chains).WithDeadline();
        Assert.Equal([1, 1], onThread);

        int Check<TException>(Exception error)
            where TException : Exception
        {
            Assert.IsType<TException>(error);
            return thread.Reactor.IsInReactorThread ? 1 : 0;
        }
    }

    [Theory, ReactorStacks]
    [Contract("R-DEF-33")]
    public async Task FromTask_CancelledDeferred_AsksTheTaskAndFails(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        using var asked = new CancellationTokenSource();
        var source = new TaskCompletionSource<int>();
        Task<int> outcome = await thread.Ask(() =>
        {
            Deferred<int> deferred = Deferred.FromTask(source.Task, cancellation: asked);
            deferred.Cancel();
            return deferred.ToTask();
        });

        Assert.True(asked.IsCancellationRequested);
        await Assert.ThrowsAsync<DeferredCancelledException>(() => outcome.WithDeadline());
        source.SetResult(1);
        await thread.Turn();
    }
}
