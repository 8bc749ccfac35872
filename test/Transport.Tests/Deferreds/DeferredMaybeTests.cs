using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>"Maybe": whatever a function does, a Deferred comes of it.</summary>
public sealed class DeferredMaybeTests
{
    [Fact, Contract("R-DEF-24")]
    public void Maybe_OfAValue_HasFired() => Assert.Equal(3, Deferred.Maybe(() => 3).ValueNow());

    [Fact, Contract("R-DEF-24")]
    public void Maybe_OfAnAction_HasFired()
    {
        bool called = false;
        Assert.True(Deferred.Maybe(() => { called = true; }).HasResult);
        Assert.True(called);
    }

    [Fact, Contract("R-DEF-24")]
    public void Maybe_OfAFailure_HasFailed()
        => AssertFails(Deferred.Maybe(() => DeferredResult.Failure<int>(new FormatException())));

    [Fact, Contract("R-DEF-24")]
    public void Maybe_OfADeferred_IsThatDeferred()
    {
        var deferred = new Deferred<int>();
        Assert.Same(deferred, Deferred.Maybe(() => deferred));
    }

    [Fact, Contract("R-DEF-24")]
    public void Maybe_OfWhatThrows_HasFailed()
    {
        AssertFails(Deferred.Maybe<int>(Throw<int>));
        AssertFails(Deferred.Maybe<int>(Throw<Deferred<int>>));
        AssertFails(Deferred.Maybe<int>(Throw<Task<int>>));
        AssertFails(Deferred.Maybe<int>(Throw<DeferredResult<int>>));
        AssertFails(Deferred.Maybe(() => { Throw<int>(); }));
    }

    [Fact, Contract("R-DEF-24")]
    public async Task Maybe_OfATask_FiresWithItsOutcome()
    {
        using var pump = new PumpThread();
        Task<int> value = await pump.Invoke(() => Deferred.Maybe(() => Task.Run(() => 4)).ToTask());
        Assert.Equal(4, await value.WithDeadline());

        Task failing = await pump.Invoke(() => Deferred.Maybe(() => Task.Run(Action () => throw new FormatException())).ToTask());
        await Assert.ThrowsAsync<FormatException>(() => failing.WithDeadline());
    }

    [Fact, Contract("R-DEF-24")]
    public void Maybe_OfAnAsyncFunction_FiresWithItsOutcome()
    {
        var inner = new Deferred<int>();
        Deferred<int> maybe = Deferred.Maybe(async () => await inner + 1);
        Assert.False(maybe.HasResult);

        inner.Callback(1);

        Assert.Equal(2, maybe.ValueNow());
    }

    [Fact, Contract("R-DEF-24")]
    public void Maybe_OfNullInPlaceOfADeferred_HasFailed()
    {
        Deferred<int> maybe = Deferred.Maybe(() => (Deferred<int>)null!);
        Assert.IsType<InvalidOperationException>(maybe.ErrorNow());
    }

    private static T Throw<T>() => throw new FormatException();

    private static void AssertFails<T>(Deferred<T> deferred)
        => Assert.IsType<FormatException>(deferred.ErrorNow());
}
