using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>The common life of a Deferred costs the object and a node per handler.</summary>
public sealed class DeferredAllocationTests
{
    [Fact, Contract("R-DEF-01")]
    public void Fire_WithTwoCachedHandlers_AllocatesTheDeferredAndTwoNodes()
    {
        // Measured, not guessed: what the objects themselves weigh on this runtime.
        Func<int, int> add = static value => value + 1;
        long deferred = Measure(static () => GC.KeepAlive(new Deferred<int>()));
        long node = Measure(() => GC.KeepAlive(new HandlerLink<int>(add, null)));

        long all = Measure(() =>
        {
            var made = new Deferred<int>();
            made.AddCallback(add).AddCallback(add);
            made.Callback(1);
        });

        Assert.InRange(deferred, 1, 128);
        Assert.InRange(all, deferred, deferred + (2 * node));
    }

    private static long Measure(Action action)
    {
        const int Rounds = 100;
        action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Rounds; i++)
            action();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;
    }
}
