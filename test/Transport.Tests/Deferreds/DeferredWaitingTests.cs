using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Chains that wait for other Deferreds: taking over, depth, circles, text form.</summary>
public sealed class DeferredWaitingTests
{
    private readonly List<string> _seen = [];

    [Theory, Contract("R-DEF-06")]
    [InlineData(true)]
    [InlineData(false)]
    public void Callback_ThatReturnsADeferred_MakesTheChainWait(bool innerFiresFirst)
    {
        var inner = new Deferred<int>();
        var outer = new Deferred<int>();
        outer.AddCallback(_ => inner).AddCallback(value => _seen.Add($"outer {value}"));

        if (innerFiresFirst)
            inner.Callback(42);
        outer.Callback(1);
        if (!innerFiresFirst)
        {
            Assert.Empty(_seen);
            Assert.True(outer.IsFired);
            Assert.False(outer.HasResult);
            inner.Callback(42);
        }

        inner.AddCallback(value => _seen.Add($"inner {value}"));
        Assert.Equal(["outer 42", "inner 0"], _seen);
    }

    [Theory, Contract("R-DEF-06")]
    [InlineData(true)]
    [InlineData(false)]
    public void Callback_ThatReturnsAFailingDeferred_SwitchesTheChain(bool innerFiresFirst)
    {
        var inner = new Deferred<int>();
        var outer = new Deferred<int>();
        outer.AddCallback(_ => inner).AddErrback(error => { _seen.Add(error.Message); return 2; });

        if (innerFiresFirst)
            inner.Errback(new FormatException("inner"));
        outer.Callback(1);
        if (!innerFiresFirst)
            inner.Errback(new FormatException("inner"));

        Assert.Equal(["inner"], _seen);
        inner.AddCallback(value => _seen.Add($"inner {value}"));
        Assert.Equal(["inner", "inner 0"], _seen);
    }

    [Fact, Contract("R-DEF-06")]
    public void Errback_ThatReturnsADeferred_MakesTheChainWait()
    {
        var inner = new Deferred<int>();
        var outer = new Deferred<int>();
        outer.AddErrback(_ => inner).AddCallback(value => _seen.Add($"{value}"));

        outer.Errback(new FormatException());
        inner.Callback(3);

        Assert.Equal(["3"], _seen);
    }

    [Fact, Contract("R-DEF-06")]
    public void Handlers_OfTheInner_AddedBeforeItWasTaken_RunFirst()
    {
        var inner = new Deferred<int>();
        inner.AddCallback(value => value * 10);
        var outer = new Deferred<int>();
        outer.AddCallback(_ => inner).AddCallback(value => _seen.Add($"{value}"));

        outer.Callback(1);
        inner.Callback(4);

        Assert.Equal(["40"], _seen);
    }

    [Fact, Contract("R-DEF-06")]
    public void Handlers_OfTheInner_AddedWhileItIsWaitedFor_RunAfterTheOuter()
    {
        var inner = new Deferred<int>();
        var outer = new Deferred<int>();
        outer.AddCallback(_ => inner);
        outer.Callback(1);
        inner.AddCallback(value => _seen.Add($"inner {value}"));
        outer.AddCallback(value => _seen.Add($"outer {value}"));

        inner.Callback(4);

        Assert.Equal(["outer 4", "inner 0"], _seen);
    }

    [Fact, Contract("R-DEF-06")]
    public void NestedWaits_EachWithHandlersLeft_UnwindFromTheOutermost()
    {
        var first = new Deferred<int>();
        var second = new Deferred<int>();
        var third = new Deferred<int>();
        second.AddCallback(_ => first);
        third.AddCallback(_ => second);
        second.Callback(0);
        third.Callback(0);
        first.AddCallback(value => _seen.Add($"first {value}"));
        second.AddCallback(value => _seen.Add($"second {value}"));
        third.AddCallback(value => _seen.Add($"third {value}"));

        first.Callback(8);

        Assert.Equal(["third 8", "second 0", "first 0"], _seen);
    }

    [Fact, Contract("R-DEF-06")]
    public void Then_WithADeferredOfAnotherType_WaitsForIt()
    {
        var inner = new Deferred<string>();
        var outer = new Deferred<int>();
        outer.Then(_ => inner).AddCallback(_seen.Add);

        outer.Callback(1);
        Assert.Empty(_seen);
        inner.Callback("text");

        Assert.Equal(["text"], _seen);
    }

    [Fact, Contract("R-DEF-06")]
    public void UntypedChain_WhoseFunctionReturnsADeferredAsObject_WaitsForIt()
    {
        var inner = new Deferred<object>();
        var outer = new Deferred<object>();
        Func<object, object> untyped = _ => inner;
        outer.AddCallback(untyped).AddCallback(value => _seen.Add($"{value}"));

        outer.Callback("start");
        inner.Callback("end");

        Assert.Equal(["end"], _seen);
    }

    [Fact, Contract("R-DEF-06")]
    public void UntypedChain_WhoseFunctionReturnsATaskAsObject_WaitsForIt()
    {
        Deferred<object> chain = Deferred.Succeed<object>("start").AddCallback(_ => Task.FromResult<object>("end"));
        Assert.Equal("end", chain.ValueNow());

        Deferred<object> mistyped = Deferred.Succeed<object>("start").AddCallback(_ => Deferred.Succeed(1));
        Assert.IsType<InvalidOperationException>(mistyped.ErrorNow());
    }

    [Fact, Contract("R-DEF-06")]
    public void Lambda_ThatReturnsNull_IsAValue()
    {
        Deferred<string?> chain = Deferred.Succeed<string?>("start").AddCallback(_ => null);
        Assert.Null(chain.ValueNow());
        Assert.Equal(0, Deferred.Fail<int>(new FormatException()).AddErrback(_ => default).ValueNow());
    }

    [Fact, Contract("R-DEF-06")]
    public void Handler_ThatReturnsNullForADeferred_FailsTheChain()
    {
        Deferred<int> deferred = Deferred.Succeed(1).AddCallback(_ => (Deferred<int>)null!);
        deferred.AddErrback(error => { _seen.Add(error.GetType().Name); return 0; });
        Assert.Equal(["InvalidOperationException"], _seen);
    }

    [Fact, Contract("R-DEF-07")]
    public void PausedInner_HoldsTheOuterUntilUnpaused()
    {
        Deferred<int> inner = Deferred.Succeed(5);
        inner.Pause();
        var outer = new Deferred<int>();
        outer.AddCallback(_ => inner).AddCallback(value => _seen.Add($"{value}"));

        outer.Callback(1);
        Assert.Empty(_seen);
        inner.Unpause();

        Assert.Equal(["5"], _seen);
    }

    [Fact, Contract("R-DEF-07")]
    public void PausedOuter_KeepsTheInnerResultUntilUnpaused()
    {
        var inner = new Deferred<int>();
        var outer = new Deferred<int>();
        outer.AddCallback(_ => inner).AddCallback(value => _seen.Add($"{value}"));
        outer.Callback(1);
        outer.Pause();

        inner.Callback(6);
        Assert.Empty(_seen);
        outer.Unpause();

        Assert.Equal(["6"], _seen);
    }

    [Theory, Contract("R-DEF-08")]
    [InlineData(true)]
    [InlineData(false)]
    public void LongChainOfWaits_UnwindsOnConstantStack(bool failing)
    {
        const int Depth = 50_000;
        var innermost = new Deferred<int>();
        Deferred<int> last = innermost;
        for (int i = 0; i < Depth; i++)
        {
            Deferred<int> inner = last;
            last = new Deferred<int>();
            last.AddCallback(_ => inner);
            last.Callback(0);
        }

        last.AddBoth(result => _seen.Add(result.IsSuccess ? $"{result.Value}" : "failed"));
        last.AddErrback(_ => 0);
        OnSmallStack(() =>
        {
            if (failing)
                innermost.Errback(new FormatException());
            else
                innermost.Callback(1);
        });

        Assert.Equal([failing ? "failed" : "1"], _seen);
    }

    [Fact, Contract("R-DEF-08")]
    public void LongChainOfTypedSteps_UnwindsOnConstantStack()
    {
        var source = new Deferred<int>();
        Deferred<int> last = source;
        for (int i = 0; i < 50_000; i++)
            last = last.Then(value => (long)value + 1).Then(value => (int)value);
        last.AddCallback(value => _seen.Add($"{value}"));

        OnSmallStack(() => source.Callback(0));

        Assert.Equal(["50000"], _seen);
    }

    [Fact, Contract("R-DEF-08")]
    public void CancelOfALongChain_UsesConstantStack()
    {
        var innermost = new Deferred<int>();
        Deferred<int> last = innermost;
        for (int i = 0; i < 50_000; i++)
            last = last.Then(value => value);
        last.AddErrback(error => { _seen.Add(error.GetType().Name); return 0; });

        OnSmallStack(last.Cancel);

        Assert.Equal([nameof(DeferredCancelledException)], _seen);
    }

    [Fact, Contract("R-DEF-09")]
    public void Callback_ThatReturnsItsOwnDeferred_FailsTheChain()
    {
        var deferred = new Deferred<int>();
        deferred.AddCallback(_ => deferred).AddErrback(error => { _seen.Add(error.Message); return 0; });

        deferred.Callback(1);

        Assert.Contains("belongs to", Assert.Single(_seen), StringComparison.Ordinal);
    }

    [Theory, Contract("R-DEF-09")]
    [InlineData(true)]
    [InlineData(false)]
    public void TypedStep_ThatReturnsEitherEndOfItself_FailsTheChain(bool source)
    {
        var deferred = new Deferred<int>();
        Deferred<int>? next = null;
        next = deferred.Then(_ => source ? deferred : next!);
        next.AddErrback(error => { _seen.Add(error.Message); return 0; });

        deferred.Callback(1);

        Assert.Contains("belongs to", Assert.Single(_seen), StringComparison.Ordinal);
    }

    [Fact, Contract("R-DEF-09")]
    public void TwoThatWaitForEachOther_FailTheSecond()
    {
        var first = new Deferred<int>();
        var second = new Deferred<int>();
        first.AddCallback(_ => second);
        second.AddCallback(_ => first).AddErrback(error => { _seen.Add(error.Message); return 3; });
        first.AddCallback(value => _seen.Add($"{value}"));

        first.Callback(1);
        second.Callback(2);

        Assert.Equal(2, _seen.Count);
        Assert.Contains("waits for it", _seen[0], StringComparison.Ordinal);
        Assert.Equal("3", _seen[1]);
    }

    [Fact, Contract("R-DEF-09")]
    public void CircleTooLongToNotice_CancelStillReturns()
    {
        var links = Enumerable.Range(0, 1000).Select(_ => new Deferred<int>()).ToArray();
        for (int i = 0; i < links.Length; i++)
        {
            Deferred<int> following = links[(i + 1) % links.Length];
            links[i].AddCallback(_ => following);
        }

        foreach (Deferred<int> link in links)
            link.Callback(0);

        Deferred<int> tail = Deferred.Succeed(0).AddCallback(_ => links[500]);
        OnSmallStack(tail.Cancel);

        Assert.False(tail.HasResult);
    }

    [Theory, Contract("R-DEF-10")]
    [InlineData(true)]
    [InlineData(false)]
    public void ChainDeferred_ForwardsTheResultAndLeavesDefault(bool success)
    {
        var source = new Deferred<int>();
        var next = new Deferred<int>();
        next.AddBoth(result => _seen.Add(result.IsSuccess ? $"next {result.Value}" : $"next {result.Error.Message}"));
        next.AddErrback(_ => 0);
        source.ChainDeferred(next).AddCallback(value => _seen.Add($"source {value}"));

        if (success)
            source.Callback(3);
        else
            source.Errback(new FormatException("bad"));

        Assert.Equal([success ? "next 3" : "next bad", "source 0"], _seen);
    }

    [Fact, Contract("R-DEF-10")]
    public void ChainDeferred_ToAFiredOne_FailsTheSource()
    {
        Deferred<int> source = Deferred.Succeed(1).ChainDeferred(Deferred.Succeed(2));
        source.AddErrback(error => { _seen.Add(error.GetType().Name); return 0; });
        Assert.Equal([nameof(AlreadyCalledException)], _seen);
    }

    [Fact, Contract("R-DEF-10")]
    public void ToString_ShowsStateResultAndWhatItWaitsFor()
    {
        var inner = new Deferred<int>();
        var outer = new Deferred<int>();
        Assert.EndsWith(": not fired", outer.ToString(), StringComparison.Ordinal);

        outer.AddCallback(_ => inner);
        outer.Callback(1);
        string innerName = inner.ToString().Split(':')[0];
        Assert.StartsWith("Deferred<Int32>@", innerName, StringComparison.Ordinal);
        Assert.EndsWith($": waiting on {innerName}", outer.ToString(), StringComparison.Ordinal);

        inner.Callback(12);
        Assert.EndsWith(": result 12", outer.ToString(), StringComparison.Ordinal);

        Deferred<int> failed = Deferred.Fail<int>(new FormatException("bad"));
        Assert.EndsWith(": failed with FormatException: bad", failed.ToString(), StringComparison.Ordinal);
        failed.AddErrback(_ => 0);
    }

    [Fact, Contract("R-DEF-10")]
    public void ToString_OfAnExplicitChain_ShowsTheSourceUntilItIsResolved()
    {
        var source = new Deferred<int>();
        var next = new Deferred<int>();
        source.ChainDeferred(next);
        Assert.Contains("waiting on", next.ToString(), StringComparison.Ordinal);

        source.Callback(1);
        Assert.EndsWith(": result 1", next.ToString(), StringComparison.Ordinal);
    }

    private static void OnSmallStack(Action action)
    {
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(action), maxStackSize: 256 * 1024) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(Deadline.Default));
        Assert.Null(thrown);
    }
}
