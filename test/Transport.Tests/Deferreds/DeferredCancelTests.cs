using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Firing twice, and giving up.</summary>
public sealed class DeferredCancelTests
{
    [Theory, Contract("R-DEF-11")]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Fire_Twice_Throws(bool firstSucceeds, bool secondSucceeds)
    {
        var deferred = new Deferred<int>();
        deferred.AddErrback(_ => 0);
        Fire(deferred, firstSucceeds);
        Assert.Throws<AlreadyCalledException>(() => Fire(deferred, secondSucceeds));
    }

    [Fact, Contract("R-DEF-11")]
    public void Fire_TwiceWhileDebugging_NamesMakerAndFirstFiring()
    {
        Deferred<int> deferred;
        Deferred.Debugging = true;
        try
        {
            deferred = MakeForDebugging();
        }
        finally
        {
            Deferred.Debugging = false;
        }

        FireForDebugging(deferred);
        var error = Assert.Throws<AlreadyCalledException>(() => deferred.Callback(2));
        Assert.Contains(nameof(MakeForDebugging), error.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(FireForDebugging), error.Message, StringComparison.Ordinal);
    }

    [Fact, Contract("R-DEF-15")]
    public void Cancel_WithoutCanceller_FailsAndAbsorbsOneFiring()
    {
        var deferred = new Deferred<int>();
        deferred.Cancel();
        deferred.Cancel();
        Assert.IsType<DeferredCancelledException>(deferred.ErrorNow());

        deferred.Callback(1);
        Assert.Throws<AlreadyCalledException>(() => deferred.Callback(2));
    }

    [Fact, Contract("R-DEF-15")]
    public void Cancel_WithoutCanceller_AbsorbsAFailureToo()
    {
        var deferred = new Deferred<int>();
        deferred.Cancel();
        Assert.IsAssignableFrom<OperationCanceledException>(deferred.ErrorNow());

        deferred.Errback(new FormatException());
        Assert.Throws<AlreadyCalledException>(() => deferred.Errback(new FormatException()));
    }

    [Fact, Contract("R-DEF-16")]
    public void Cancel_WithCanceller_CallsItOnceWithTheDeferredAndAbsorbsNothing()
    {
        var given = new List<Deferred<int>>();
        var deferred = new Deferred<int>(given.Add);

        deferred.Cancel();
        deferred.Cancel();

        Assert.Same(deferred, Assert.Single(given));
        Assert.IsType<DeferredCancelledException>(deferred.ErrorNow());
        Assert.Throws<AlreadyCalledException>(() => deferred.Callback(1));
    }

    [Fact, Contract("R-DEF-16")]
    public void Cancel_WhenTheCancellerFires_ItsResultCounts()
    {
        int seen = 0;
        var succeeding = new Deferred<int>(deferred => deferred.Callback(7));
        succeeding.AddCallback(value => seen = value);
        succeeding.Cancel();
        Assert.Equal(7, seen);

        var failing = new Deferred<int>(deferred => deferred.Errback(new FormatException()));
        failing.Cancel();
        Assert.IsType<FormatException>(failing.ErrorNow());
    }

    [Fact, Contract("R-DEF-16")]
    public void Cancel_WhenTheCancellerThrows_TheExceptionLeavesAndTheDeferredIsCancelled()
    {
        var deferred = new Deferred<int>(_ => throw new FormatException());
        Assert.Throws<FormatException>(deferred.Cancel);
        Assert.IsType<DeferredCancelledException>(deferred.ErrorNow());
    }

    [Fact, Contract("R-DEF-17")]
    public void Cancel_AfterFiring_ChangesNothing()
    {
        bool called = false;
        var deferred = new Deferred<int>(_ => called = true);
        deferred.Callback(5);
        deferred.Cancel();

        Assert.False(called);
        Assert.EndsWith("result 5", deferred.ToString(), StringComparison.Ordinal);
        Assert.Throws<AlreadyCalledException>(() => deferred.Callback(6));
    }

    [Fact, Contract("R-DEF-17")]
    public void Cancel_WhileWaitingForAnother_CancelsThatOne()
    {
        bool called = false;
        var inner = new Deferred<int>(_ => called = true);
        var outer = new Deferred<int>(_ => Assert.Fail("The outer has fired; its canceller is gone."));
        outer.AddCallback(_ => inner);
        outer.Callback(1);

        outer.Cancel();

        Assert.True(called);
        Assert.IsType<DeferredCancelledException>(outer.ErrorNow());
    }

    [Fact, Contract("R-DEF-17")]
    public void Cancel_OfATypedStep_CancelsItsSourceAndThenWhatItWaitsFor()
    {
        var cancelled = new List<string>();
        var source = new Deferred<int>(_ => cancelled.Add("source"));
        Deferred<string> first = source.Then(value => $"{value}");
        first.Cancel();
        Assert.IsType<DeferredCancelledException>(first.ErrorNow());

        var inner = new Deferred<string>(_ => cancelled.Add("inner"));
        Deferred<string> second = Deferred.Succeed(1).Then(_ => inner);
        second.Cancel();
        Assert.IsType<DeferredCancelledException>(second.ErrorNow());
        Assert.Equal(["source", "inner"], cancelled);
    }

    [Fact, Contract("R-DEF-17")]
    public void Cancel_OfAnExplicitlyChained_LeavesTheSourceAlone()
    {
        var source = new Deferred<int>(_ => Assert.Fail("It belongs to somebody else."));
        var next = new Deferred<int>();
        source.ChainDeferred(next);

        next.Cancel();
        Assert.IsType<DeferredCancelledException>(next.ErrorNow());

        source.Callback(1);
        Assert.EndsWith("result 0", source.ToString(), StringComparison.Ordinal);
    }

    [Theory, Contract("R-DEF-18")]
    [InlineData("callback")]
    [InlineData("errback")]
    [InlineData("waiting")]
    public void Canceller_OnceFired_IsReleased(string how)
    {
        (Deferred<int> deferred, WeakReference canceller) = WithWeakCanceller(how);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(canceller.IsAlive);
        GC.KeepAlive(deferred);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static (Deferred<int>, WeakReference) WithWeakCanceller(string how)
    {
        var held = new object();
        var deferred = new Deferred<int>(_ => GC.KeepAlive(held));
        deferred.AddErrback(_ => 0);
        if (how == "waiting")
            deferred.AddCallback(_ => new Deferred<int>());
        Fire(deferred, success: how != "errback");
        return (deferred, new WeakReference(held));
    }

    private static void Fire(Deferred<int> deferred, bool success)
    {
        if (success)
            deferred.Callback(1);
        else
            deferred.Errback(new FormatException());
    }

    private static Deferred<int> MakeForDebugging() => new();

    private static void FireForDebugging(Deferred<int> deferred) => deferred.Callback(1);
}
