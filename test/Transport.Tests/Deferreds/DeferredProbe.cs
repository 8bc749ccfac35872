using LoopBridge.Deferreds;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Looks at a Deferred that must have its result by now.</summary>
internal static class DeferredProbe
{
    public static T ValueNow<T>(this Deferred<T> deferred)
    {
        Assert.True(deferred.HasResult);
        return deferred.GetAwaiter().GetResult();
    }

    /// <summary>The failure, which counts as handled from then on; the Deferred is left with default.</summary>
    public static Exception ErrorNow<T>(this Deferred<T> deferred)
    {
        Exception? seen = null;
        Assert.True(deferred.HasResult);
        deferred.AddErrback(error =>
        {
            seen = error;
            return default(T)!;
        });
        Assert.NotNull(seen);
        return seen;
    }
}
