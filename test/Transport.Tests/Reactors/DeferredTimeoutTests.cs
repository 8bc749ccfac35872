using LoopBridge.Deferreds;
using LoopBridge.Manual;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Deferreds;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>Time limits of Deferreds, and calls whose result comes later, by a clock that a test moves.</summary>
public sealed class DeferredTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ManualReactorClock _clock = new();

    [Theory, Contract("R-DEF-25")]
    [InlineData(true)]
    [InlineData(false)]
    public void AddTimeout_ResultInTime_StaysAndRemovesTheTimer(bool success)
    {
        var deferred = new Deferred<int>();
        Assert.Same(deferred, deferred.AddTimeout(Limit, _clock, (_, _) => throw new InvalidOperationException("In time.")));
        Assert.Equal(Limit, Assert.Single(_clock.GetDelayedCalls()).Time);

        if (success)
            deferred.Callback(1);
        else
            deferred.Errback(new FormatException());

        Assert.Empty(_clock.GetDelayedCalls());
        if (success)
            Assert.Equal(1, deferred.ValueNow());
        else
            Assert.IsType<FormatException>(deferred.ErrorNow());
    }

    [Fact, Contract("R-DEF-25")]
    public void AddTimeout_NoResultInTime_CancelsAndFailsWithATimeout()
    {
        bool cancelled = false;
        Deferred<int> deferred = new Deferred<int>(_ => cancelled = true).AddTimeout(Limit, _clock);

        _clock.Advance(Limit - TimeSpan.FromTicks(1));
        Assert.False(deferred.IsFired);
        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.True(cancelled);
        var error = Assert.IsType<TimeoutException>(deferred.ErrorNow());
        Assert.IsType<DeferredCancelledException>(error.InnerException);
        Assert.Contains("00:00:10", error.Message, StringComparison.Ordinal);
    }

    [Fact, Contract("R-DEF-25")]
    public void AddTimeout_WithAHook_GivesItWhatTheCancellationLeft()
    {
        Deferred<int> deferred = new Deferred<int>().AddTimeout(Limit, _clock, (result, timeout) =>
        {
            Assert.IsType<DeferredCancelledException>(result.Error);
            Assert.Equal(Limit, timeout);
            return DeferredResult.Success(7);
        });

        _clock.Advance(Limit);

        Assert.Equal(7, deferred.ValueNow());
    }

    [Fact, Contract("R-DEF-25")]
    public void AddTimeout_WhatTheCancellerFires_IsMeantAsItIs()
    {
        Deferred<int> value = new Deferred<int>(it => it.Callback(5)).AddTimeout(Limit, _clock);
        Deferred<int> failure = new Deferred<int>(it => it.Errback(new FormatException())).AddTimeout(Limit, _clock);

        _clock.Advance(Limit);

        Assert.Equal(5, value.ValueNow());
        Assert.IsType<FormatException>(failure.ErrorNow());
    }

    [Fact, Contract("R-DEF-25")]
    public void AddTimeout_CancelledByTheUserBefore_StaysACancellation()
    {
        Deferred<int> deferred = new Deferred<int>().AddTimeout(
            Limit, _clock, (_, _) => throw new InvalidOperationException("The time was not over."));

        deferred.Cancel();
        _clock.Advance(Limit);

        Assert.IsType<DeferredCancelledException>(deferred.ErrorNow());
    }

    [Fact, Contract("R-DEF-25")]
    public void AddTimeout_HandlersAddedBefore_SeeTheCancellationAndMaySuppressIt()
    {
        Deferred<int> suppressed = new Deferred<int>().AddErrback<DeferredCancelledException>(_ => 3).AddTimeout(Limit, _clock);
        Exception? seen = null;
        Deferred<int> watched = new Deferred<int>()
            .AddBoth((DeferredResult<int> result) => { seen = result.Error; })
            .AddTimeout(Limit, _clock);

        _clock.Advance(Limit);

        Assert.Equal(3, suppressed.ValueNow());
        Assert.IsType<DeferredCancelledException>(seen);
        Assert.IsType<TimeoutException>(watched.ErrorNow());
    }

    [Fact, Contract("R-DEF-25")]
    public void AddTimeout_OfAFired_LeavesNoTimer()
    {
        Assert.Equal(1, Deferred.Succeed(1).AddTimeout(Limit, _clock).ValueNow());
        Assert.Empty(_clock.GetDelayedCalls());
        Assert.Throws<ArgumentOutOfRangeException>(() => { new Deferred<int>().AddTimeout(-Limit, _clock); });
    }

    [Fact, Contract("R-TASK-11")]
    public void DeferLater_FiresWithTheResultOrTheFailure()
    {
        Deferred<int> value = _clock.DeferLater(Limit, () => 4);
        Deferred<int> failure = _clock.DeferLater(Limit, int () => throw new FormatException());
        Deferred<int> deferred = _clock.DeferLater(Limit, () => Deferred.Succeed(6));
        Deferred<int> task = _clock.DeferLater(Limit, () => Task.FromResult(8));
        bool called = false;
        Deferred<Unit> action = _clock.DeferLater(Limit, () => { called = true; });
        Deferred<Unit> nothing = _clock.DeferLater(Limit);
        Assert.False(value.IsFired);

        _clock.Advance(Limit);

        Assert.Equal((4, 6, 8), (value.ValueNow(), deferred.ValueNow(), task.ValueNow()));
        Assert.IsType<FormatException>(failure.ErrorNow());
        Assert.True(called && action.HasResult && nothing.HasResult);
    }

    [Fact, Contract("R-TASK-11")]
    public void DeferLater_Cancelled_RemovesTheTimer()
    {
        Deferred<int> later = _clock.DeferLater(Limit, int () => throw new InvalidOperationException("It was cancelled."));

        later.Cancel();

        Assert.Empty(_clock.GetDelayedCalls());
        Assert.IsType<DeferredCancelledException>(later.ErrorNow());
    }

    [Fact, Contract("R-TASK-11")]
    public void DeferLater_CancelledWhenItsCallIsGoneAlready_IsCancelled()
    {
        Deferred<Unit> later = _clock.DeferLater(Limit);
        Assert.Single(_clock.GetDelayedCalls()).Cancel(); // as the end of a reactor does

        later.Cancel();

        Assert.IsType<DeferredCancelledException>(later.ErrorNow());
    }

    [Fact, Contract("R-TASK-11")]
    public void DeferLater_CancelledWhileTheFunctionWorks_CancelsThat()
    {
        bool cancelled = false;
        Deferred<int> later = _clock.DeferLater(Limit, () => new Deferred<int>(_ => cancelled = true));
        _clock.Advance(Limit);

        later.Cancel();

        Assert.True(cancelled);
        Assert.IsType<DeferredCancelledException>(later.ErrorNow());
    }
}
