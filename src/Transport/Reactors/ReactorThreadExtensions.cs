using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

/// <summary>Ways to use a reactor's threads. Descends from Twisted's <c>twisted.internet.threads</c>. Any thread.</summary>
public static class ReactorThreadExtensions
{
    /// <summary>
    /// Runs <paramref name="work"/> on one of the reactor's threads; the Deferred is fired on the reactor's thread with its value or its
    /// exception. It cannot be stopped: cancelling the Deferred only drops what comes of it.
    /// </summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="reactor">Whose threads, and on whose thread the Deferred is fired.</param>
    /// <param name="work">What to run. It may block.</param>
    /// <returns>A Deferred; one that has failed already with <see cref="ReactorNotRunningException"/> after the reactor's shutdown.</returns>
    public static Deferred<T> DeferToThread<T>(this IReactor reactor, Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(work);
        var deferred = new Deferred<T>();
        return reactor.CallInThread(() => Fire(reactor, deferred, ReactorThreadPool.ResultOf(work)))
            ? deferred
            : Deferred.Fail<T>(new ReactorNotRunningException());
    }

    /// <summary>As <see cref="DeferToThread{T}(IReactor, Func{T})"/>, on the threads of <paramref name="pool"/>.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="reactor">On whose thread the Deferred is fired.</param>
    /// <param name="pool">Whose threads.</param>
    /// <param name="work">What to run. It may block.</param>
    /// <returns>A Deferred; one that has failed already with <see cref="ObjectDisposedException"/> if the pool is stopped.</returns>
    public static Deferred<T> DeferToThreadPool<T>(this IReactor reactor, ReactorThreadPool pool, Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(pool);
        var deferred = new Deferred<T>();
        return pool.CallInThreadWithCallback(work, result => Fire(reactor, deferred, result))
            ? deferred
            : Deferred.Fail<T>(new ObjectDisposedException(nameof(ReactorThreadPool)));
    }

    /// <summary>
    /// Runs <paramref name="work"/> in its order on one of the reactor's threads. An exception is reported, and the rest of it is not run.
    /// </summary>
    /// <returns>False if the reactor has shut down: nothing of it is run.</returns>
    public static bool CallMultipleInThread(this IReactor reactor, IEnumerable<Action> work)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(work);
        Action[] batch = [.. work];
        return reactor.CallInThread(() => Array.ForEach(batch, static each => each()));
    }

    private static void Fire<T>(IReactor reactor, Deferred<T> deferred, DeferredResult<T> result)
        => reactor.CallFromThread(() =>
        {
            if (result.IsSuccess)
            {
                deferred.Callback(result.Value);
            }
            else
            {
                deferred.Errback(result.Error);
            }
        });
}
