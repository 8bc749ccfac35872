using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>One chain: order, switching between values and failures, when handlers run.</summary>
public sealed class DeferredChainTests
{
    [Fact, Contract("R-DEF-01")]
    public void Callback_WithHandlers_EachReceivesThePreviousResult()
    {
        var seen = new List<string>();
        var deferred = new Deferred<int>();
        deferred.AddCallback(value => { seen.Add($"a{value}"); return value * 2; });
        deferred.AddCallback(value => { seen.Add($"b{value}"); return value + 1; });
        deferred.AddCallback(value => seen.Add($"c{value}"));

        Assert.Empty(seen);
        deferred.Callback(5);

        Assert.Equal(["a5", "b10", "c11"], seen);
        Assert.True(deferred.HasResult);
    }

    [Fact, Contract("R-DEF-01")]
    public void AddCallback_OfAction_LeavesTheValue()
    {
        int seen = 0;
        var deferred = new Deferred<int>();
        deferred.AddCallback(_ => { }).AddCallback(value => seen = value);

        deferred.Callback(7);

        Assert.Equal(7, seen);
    }

    [Fact, Contract("R-DEF-01")]
    public void Then_ToAnotherType_GoesOnWithTheNewValue()
    {
        var deferred = new Deferred<int>();
        var seen = new List<string>();
        Deferred<string> text = deferred.AddCallback(value => value + 1).Then(value => $"<{value}>");
        text.AddCallback(seen.Add);

        deferred.Callback(1);

        Assert.Equal(["<2>"], seen);
    }

    [Fact, Contract("R-DEF-02")]
    public void AddCallbacks_WithASideMissing_PassesTheResultThrough()
    {
        Assert.Equal(3, Deferred.Succeed(3).AddCallbacks(null, _ => -1).ValueNow());

        var error = new FormatException();
        Deferred<int> failed = Deferred.Fail<int>(error).AddCallbacks(_ => -1, null);
        Assert.Same(error, failed.ErrorNow());
    }

    [Fact, Contract("R-DEF-02")]
    public void AddCallbacks_WhenTheCallbackThrows_ItsErrbackDoesNotRun()
    {
        var error = new FormatException();
        Deferred<int> deferred = Deferred.Succeed(1);
        deferred.AddCallbacks((int _) => throw error, (Exception _) => Deferred.Succeed(-1));
        Assert.Same(error, deferred.ErrorNow());
    }

    [Fact, Contract("R-DEF-03")]
    public void Handlers_ThatThrowAndRecover_SwitchTheChain()
    {
        var seen = new List<string>();
        var deferred = new Deferred<int>();
        deferred
            .AddErrback(_ => { seen.Add("not reached"); return 0; })
            .AddCallback(_ => throw new FormatException("boom"))
            .AddCallback(value => { seen.Add("not reached"); return value; })
            .AddErrback(error => { seen.Add(error.Message); return 9; })
            .AddErrback(_ => { seen.Add("not reached"); return 0; })
            .AddCallback(value => seen.Add($"{value}"));

        deferred.Callback(1);

        Assert.Equal(["boom", "9"], seen);
    }

    [Fact, Contract("R-DEF-03")]
    public void Handler_ThatReturnsAFailure_SwitchesTheChain()
    {
        var error = new FormatException();
        Deferred<int> returned = Deferred.Succeed(1).AddBoth(_ => DeferredResult.Failure<int>(error));
        Assert.Same(error, returned.ErrorNow());

        Deferred<int> recovered = Deferred.Fail<int>(error).AddBoth(result => DeferredResult.Success(result.IsSuccess ? 1 : 2));
        Assert.Equal(2, recovered.ValueNow());
    }

    [Fact, Contract("R-DEF-03")]
    public void AddErrback_ForOneKindOfException_LetsOthersPass()
    {
        Deferred<int> trapped = Deferred.Fail<int>(new FormatException()).AddErrback<FormatException>(_ => 4);
        Assert.Equal(4, trapped.ValueNow());

        Deferred<int> passed = Deferred.Fail<int>(new TimeoutException()).AddErrback<FormatException>(_ => 4);
        Assert.IsType<TimeoutException>(passed.ErrorNow());
    }

    [Fact, Contract("R-DEF-03")]
    public void Then_WhenTheCallbackThrows_TheNextDeferredFails()
    {
        var error = new FormatException();
        Deferred<int> source = Deferred.Succeed(1);
        Deferred<string> next = source.Then<string>(_ => throw error);

        Assert.Same(error, next.ErrorNow());
        Assert.Equal(0, source.ValueNow());
    }

    [Fact, Contract("R-DEF-03")]
    public void Then_OnAFailure_SkipsTheCallbackAndUsesTheErrback()
    {
        Deferred<string> passed = Deferred.Fail<int>(new FormatException("x")).Then(value => $"{value}");
        Assert.Equal("x", passed.ErrorNow().Message);

        Deferred<string> handled = Deferred.Fail<int>(new FormatException("x")).Then(value => $"{value}", error => error.Message);
        Assert.Equal("x", handled.ValueNow());
    }

    [Fact, Contract("R-DEF-04")]
    public void AddCallback_AfterFiring_RunsInsideTheCall()
    {
        int seen = 0;
        Deferred.Succeed(3).AddCallback(value => seen = value);
        Assert.Equal(3, seen);

        Exception? error = null;
        Deferred.Fail<Unit>(new FormatException()).AddErrback(failure => error = failure);
        Assert.IsType<FormatException>(error);
    }

    [Fact, Contract("R-DEF-04")]
    public void Succeed_HasResult()
    {
        Deferred<int> deferred = Deferred.Succeed(3);
        Assert.True(deferred.IsFired);
        Assert.True(deferred.HasResult);
    }

    [Fact, Contract("R-DEF-05")]
    public void AddCallback_FromARunningHandler_RunsAfterIt()
    {
        var seen = new List<string>();
        var deferred = new Deferred<int>();
        deferred.AddCallback(value =>
        {
            seen.Add("outer in");
            deferred.AddCallback(inner => { seen.Add($"inner {inner}"); return inner; });
            seen.Add("outer out");
            return value + 1;
        });

        deferred.Callback(1);

        Assert.Equal(["outer in", "outer out", "inner 2"], seen);
    }

    [Fact, Contract("R-DEF-05")]
    public void AddCallback_FromAHandlerOfAFiredDeferred_RunsAfterItToo()
    {
        var seen = new List<string>();
        Deferred<int> deferred = Deferred.Succeed(1);
        deferred.AddCallback(_ =>
        {
            deferred.AddErrback(error => { seen.Add(error.Message); return 0; });
            seen.Add("thrower");
            throw new FormatException("late");
        });

        Assert.Equal(["thrower", "late"], seen);
    }

    [Fact, Contract("R-DEF-07")]
    public void Pause_IsCounted_AndHoldsTheResult()
    {
        int seen = 0;
        var deferred = new Deferred<int>();
        deferred.AddCallback(value => seen = value);
        deferred.Pause();
        deferred.Pause();

        deferred.Callback(5);
        deferred.Unpause();
        Assert.Equal(0, seen);
        Assert.False(deferred.HasResult);

        deferred.Unpause();
        Assert.Equal(5, seen);
        Assert.Throws<InvalidOperationException>(deferred.Unpause);
    }

    [Fact, Contract("R-DEF-07")]
    public void Pause_BeforeFiringAndUndone_ChangesNothing()
    {
        int seen = 0;
        var deferred = new Deferred<int>();
        deferred.Pause();
        deferred.Unpause();
        deferred.AddCallback(value => seen = value);

        deferred.Callback(5);

        Assert.Equal(5, seen);
    }

    [Fact, Contract("R-DEF-07")]
    public void Pause_FromAHandler_HoldsTheRestOfTheChain()
    {
        int seen = 0;
        var deferred = new Deferred<int>();
        deferred.AddCallback(_ => deferred.Pause()).AddCallback(value => seen = value);

        deferred.Callback(5);
        Assert.Equal(0, seen);

        deferred.Unpause();
        Assert.Equal(5, seen);
    }

    [Fact, Contract("R-DEF-12")]
    public void Callback_WithADeferred_IsAnArgumentError()
    {
        var deferred = new Deferred<object>();
        Assert.Throws<ArgumentException>(() => deferred.Callback(Deferred.Succeed(1)));
        Assert.False(deferred.IsFired);
    }

    [Fact, Contract("R-DEF-14")]
    public void Errback_WithoutAnException_IsAnArgumentError()
        => Assert.Throws<ArgumentNullException>(() => new Deferred<int>().Errback(null!));

    [Fact]
    public void AddCallback_WithoutAFunction_IsAnArgumentError()
    {
        var deferred = new Deferred<int>();
        Assert.Throws<ArgumentNullException>(() => deferred.AddCallback((Func<int, int>)null!));
        Assert.Throws<ArgumentNullException>(() => deferred.AddErrback((Func<Exception, int>)null!));
        Assert.Throws<ArgumentNullException>(() => deferred.Then((Func<int, string>)null!));
    }

    [Fact]
    public void UnitDeferred_ActionsNeedNoValue()
    {
        var seen = new List<string>();
        var deferred = new Deferred<Unit>();
        deferred.AddCallback(() => { seen.Add("done"); throw new FormatException("x"); });
        deferred.AddErrback(error => seen.Add(error.Message)).AddCallback(() => seen.Add("end"));

        deferred.Callback();

        Assert.Equal(["done", "x", "end"], seen);
    }
}
