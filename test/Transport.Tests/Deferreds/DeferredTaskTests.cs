using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Deferred to Task and back.</summary>
public sealed class DeferredTaskTests : IDisposable
{
    private readonly PumpThread _pump = new();

    public void Dispose() => _pump.Dispose();

    [Fact, Contract("R-DEF-32")]
    public async Task ToTask_CompletesWithTheValueAndTakesItOver()
    {
        var deferred = new Deferred<int>();
        Task<int> task = deferred.ToTask();
        int left = -1;
        _ = deferred.AddCallback(value => left = value);
        Assert.False(task.IsCompleted);

        deferred.Callback(3);

        Assert.Equal(3, await task.WithDeadline());
        Assert.Equal(0, left);
    }

    [Fact, Contract("R-DEF-32")]
    public async Task ToTask_FailsWithTheOriginalException()
    {
        var error = new FormatException();
        var deferred = new Deferred<int>();
        Task untyped = ((Deferred)deferred).ToTask();

        deferred.Errback(error);

        Assert.Same(error, await Assert.ThrowsAsync<FormatException>(() => untyped.WithDeadline()));
        Assert.True(untyped.IsFaulted);
    }

    [Fact, Contract("R-DEF-32")]
    public async Task ToTask_OfACancelled_IsCancelledWithTheOriginalException()
    {
        var deferred = new Deferred<int>();
        Task<int> task = deferred.ToTask();
        deferred.Cancel();

        Assert.True(task.IsCanceled);
        await Assert.ThrowsAsync<DeferredCancelledException>(() => task);
    }

    [Fact, Contract("R-DEF-32")]
    public async Task ToTask_WithToken_CancelsTheDeferredOnItsThreadAndIgnoresALateValue()
    {
        using var source = new CancellationTokenSource();
        bool onThread = false;
        (Deferred<int> deferred, Task<int> task) = await _pump.Invoke(() =>
        {
            var made = new Deferred<int>(it =>
            {
                onThread = _pump.IsCurrent;
                it.Callback(9);
            });
            return (made, made.ToTask(source.Token));
        });

        await source.CancelAsync().WithDeadline();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.WithDeadline());
        Assert.Equal(source.Token, error.CancellationToken);
        Assert.Equal(0, await _pump.Invoke(() => deferred.ValueNow()));
        Assert.True(onThread);
    }

    [Fact, Contract("R-DEF-32")]
    public async Task ToTask_WithTokenCancelledAfterTheResult_KeepsTheResult()
    {
        using var source = new CancellationTokenSource();
        var deferred = new Deferred<int>(_ => Assert.Fail("It has fired."));
        Task<int> task = deferred.ToTask(source.Token, _pump);

        deferred.Callback(1);
        await source.CancelAsync().WithDeadline();

        Assert.Equal(1, await task.WithDeadline());
        await _pump.Invoke(() => { });
    }

    [Fact, Contract("R-DEF-32")]
    public async Task ToTask_WhatAwaitsIt_DoesNotRunInsideTheFiring()
    {
        bool firing = false;
        bool insideFiring = false;
        await _pump.Invoke(() =>
        {
            var deferred = new Deferred<int>();
            Task waiting = Wait(deferred.ToTask());
            firing = true;
            deferred.Callback(1);
            firing = false;
            return waiting;
        }).Unwrap().WithDeadline();

        Assert.False(insideFiring);

        async Task Wait(Task<int> task)
        {
            await task;
            Assert.True(_pump.IsCurrent);
            insideFiring = firing;
        }
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_ThatEndsElsewhere_FiresOnTheLoopThread()
    {
        var task = new TaskCompletionSource<int>();
        var seen = new TaskCompletionSource<(int, bool)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _pump.Invoke(() => Deferred.FromTask(task.Task).AddCallback(value => seen.SetResult((value, _pump.IsCurrent))));

        task.SetResult(4);

        Assert.Equal((4, true), await seen.Task.WithDeadline());
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_ThatEndsOnTheLoopThread_FiresThereAndThen()
    {
        var task = new TaskCompletionSource<int>();
        Assert.True(await _pump.Invoke(() =>
        {
            Deferred<int> deferred = Deferred.FromTask(task.Task);
            task.SetResult(4);
            return deferred.HasResult;
        }));
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_WithoutAValue_FiresThereAndThenToo()
    {
        var task = new TaskCompletionSource();
        Assert.True(await _pump.Invoke(() =>
        {
            Deferred<Unit> deferred = Deferred.FromTask(task.Task);
            task.SetResult();
            return deferred.HasResult;
        }));
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_WithoutAValue_FailsAsTheTaskDoes()
    {
        var error = new FormatException();
        var failing = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        Task<Unit>[] tasks = await _pump.Invoke(() => new[]
        {
            Deferred.FromTask(failing.Task).ToTask(), Deferred.FromTask(cancelled.Task).ToTask(),
        });
        failing.SetException(error);
        cancelled.SetCanceled(TestContext.Current.CancellationToken);

        Assert.Same(error, await Assert.ThrowsAsync<FormatException>(() => tasks[0].WithDeadline()));
        await Assert.ThrowsAsync<DeferredCancelledException>(() => tasks[1].WithDeadline());
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_ThatFails_FiresWithItsException()
    {
        var error = new FormatException();
        var task = new TaskCompletionSource<int>();
        var seen = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Deferred.FromTask(task.Task, _pump).AddErrback(failure => { seen.SetResult(failure); return 0; });

        task.SetException(error);

        Assert.Same(error, await seen.Task.WithDeadline());
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_ThatIsCancelled_FailsAsCancelled()
    {
        var task = new TaskCompletionSource<int>();
        var seen = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Deferred.FromTask(task.Task, _pump).AddErrback(failure => { seen.SetResult(failure); return 0; });

        task.SetCanceled(TestContext.Current.CancellationToken);

        Exception error = await seen.Task.WithDeadline();
        Assert.IsType<DeferredCancelledException>(error);
        Assert.IsAssignableFrom<OperationCanceledException>(error.InnerException);
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_Cancel_AsksTheTaskAndFailsAtOnce()
    {
        using var source = new CancellationTokenSource();
        var task = new TaskCompletionSource<int>();
        Deferred<int> deferred = await _pump.Invoke(() =>
        {
            Deferred<int> made = Deferred.FromTask(task.Task, cancellation: source);
            made.Cancel();
            return made;
        });

        Assert.True(source.IsCancellationRequested);
        Assert.EndsWith("was cancelled.", deferred.ToString(), StringComparison.Ordinal);
        _ = deferred.AddErrback(_ => 1);

        task.SetResult(5);
        Assert.Equal(1, await _pump.Invoke(() => deferred.ValueNow()));
    }

    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_Cancel_FailsAlsoIfTheTaskSucceedsWhenItIsAsked()
    {
        using var source = new CancellationTokenSource();
        var task = new TaskCompletionSource<int>();
        using CancellationTokenRegistration registration = source.Token.Register(() => task.SetResult(5));

        Exception error = await _pump.Invoke(() =>
        {
            Deferred<int> deferred = Deferred.FromTask(task.Task, cancellation: source);
            deferred.Cancel();
            return deferred.ErrorNow();
        });

        Assert.IsType<DeferredCancelledException>(error);
    }

    // Whoever made the token has disposed of it when the task was done, as a "using" does; the news has not come home yet.
    [Fact, Contract("R-DEF-33")]
    public async Task FromTask_CancelWhenTheTaskHasEndedElsewhere_AsksNobody()
    {
        var source = new CancellationTokenSource();
        var task = new TaskCompletionSource<int>();
        Exception error = await _pump.Invoke(() =>
        {
            Deferred<int> deferred = Deferred.FromTask(task.Task, cancellation: source);
            var elsewhere = new Thread(() =>
            {
                task.SetResult(5);
                source.Dispose();
            });
            elsewhere.Start();
            Assert.True(elsewhere.Join(Deadline.Default));
            deferred.Cancel();
            return deferred.ErrorNow();
        });

        Assert.IsType<DeferredCancelledException>(error);
    }

    [Fact, Contract("R-DEF-13"), Contract("R-DEF-32")]
    public async Task ToTask_CancelledByItsToken_AFailureThatComesLaterIsReportedOnce()
    {
        var error = new FormatException();
        var told = new List<Exception>();
        void Tell(object? sender, UnhandledFailureEventArgs args)
        {
            lock (told)
                told.Add(args.Exception);
        }

        using var source = new CancellationTokenSource();
        Task<int> task = await _pump.Invoke(() => new Deferred<int>(it => it.Errback(error)).ToTask(source.Token));
        Deferred.UnhandledFailure += Tell;
        try
        {
            await source.CancelAsync().WithDeadline();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task.WithDeadline());
            await _pump.Invoke(() => { });
        }
        finally
        {
            Deferred.UnhandledFailure -= Tell;
        }

        lock (told)
            Assert.Single(told, each => ReferenceEquals(each, error));
    }

    [Fact, Contract("R-DEF-33")]
    public void FromTask_WithoutAContext_IsRefusedUnlessTheTaskHasEnded()
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Assert.Throws<InvalidOperationException>(() => { Deferred.FromTask(new TaskCompletionSource<int>().Task); });
            Assert.Equal(2, Deferred.FromTask(Task.FromResult(2)).ValueNow());
            Assert.True(Deferred.FromTask(Task.CompletedTask).HasResult);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Fact, Contract("R-DEF-06"), Contract("R-DEF-33")]
    public async Task Handlers_ThatReturnTasks_AreWaitedForOnTheLoopThread()
    {
        Task<string> chain = await _pump.Invoke(() => Deferred.Succeed(1)
            .AddCallback((int value) => Task.Run(() => value + 1))
            .AddCallback((int value) => new ValueTask<int>(value * 10))
            .AddCallback((int _) => Task.Run(() => { }))
            .AddBoth((DeferredResult<int> _) => Task.Run(() => { }))
            .AddCallback((int _) => Task.Run(int () => throw new FormatException()))
            .AddErrback((Exception _) => Task.Run(() => 30))
            .Then((int value) => Task.Run(() => $"{value}"))
            .AddCallback((string text) => Assert.True(_pump.IsCurrent))
            .ToTask());

        Assert.Equal("30", await chain.WithDeadline());
    }

    [Fact, Contract("R-DEF-33")]
    public async Task AddBoth_WithATask_KeepsTheOutcome()
    {
        Task<int> chain = await _pump.Invoke(() => Deferred.Succeed(1)
            .AddBoth((DeferredResult<int> _) => Task.Run(() => { }))
            .ToTask());

        Assert.Equal(1, await chain.WithDeadline());
    }

    [Fact, Contract("R-DEF-29")]
    public async Task Run_Cancel_CancelsTheTokenAndTheOutcomeFollowsTheFunction()
    {
        Task<string> task = await _pump.Invoke(() =>
        {
            Deferred<string> deferred = Deferred.Run(async token =>
            {
                try
                {
                    await new Deferred<int>().ToTask(token);
                    return "not reached";
                }
                catch (OperationCanceledException)
                {
                    // Expected: the function translates its cancellation.
                    return "translated";
                }
            });
            deferred.Cancel();
            Assert.False(deferred.IsFired);
            return deferred.ToTask();
        });

        Assert.Equal("translated", await task.WithDeadline());
    }

    [Fact, Contract("R-DEF-29")]
    public async Task Run_OfAFunctionThatThrows_FailsAndNeverThrows()
    {
        Deferred<Unit> deferred = Deferred.Run(Task (_) => throw new FormatException(), _pump);
        await Assert.ThrowsAsync<FormatException>(() => deferred.ToTask().WithDeadline());
    }

    [Fact, Contract("R-DEF-34")]
    public void ToTask_OfAFired_IsCompleted()
    {
        Assert.True(Deferred.Succeed(3).ToTask().IsCompletedSuccessfully);

        var error = new FormatException();
        Task<int> faulted = Deferred.Fail<int>(error).ToTask();
        Assert.True(faulted.IsFaulted);
        Assert.Same(error, faulted.Exception.InnerException);
    }

    [Theory, Contract("R-DEF-35")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ToTask_Twice_GivesTheSameOutcome(bool firedBefore)
    {
        var deferred = new Deferred<int>();
        if (firedBefore)
            deferred.Callback(5);
        Task<int> first = deferred.ToTask();
        Task<int> second = deferred.ToTask(new CancellationToken(canceled: false));
        if (!firedBefore)
            deferred.Callback(5);

        Assert.Equal((5, 5, 5), (await first.WithDeadline(), await second.WithDeadline(), await deferred.ToTask().WithDeadline()));
    }
}
