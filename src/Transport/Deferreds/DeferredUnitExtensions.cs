namespace LoopBridge.Deferreds;

/// <summary>What a Deferred without a value can leave out.</summary>
public static class DeferredUnitExtensions
{
    /// <summary>Fires with success.</summary>
    /// <param name="deferred">The Deferred.</param>
    /// <exception cref="AlreadyCalledException">It has been fired before.</exception>
    public static void Callback(this Deferred<Unit> deferred)
    {
        ArgumentNullException.ThrowIfNull(deferred);
        deferred.Callback(default);
    }

    /// <summary>Adds an action for success.</summary>
    /// <param name="deferred">The Deferred.</param>
    /// <param name="callback">The action.</param>
    /// <returns>The same Deferred.</returns>
    public static Deferred<Unit> AddCallback(this Deferred<Unit> deferred, Action callback)
    {
        ArgumentNullException.ThrowIfNull(deferred);
        ArgumentNullException.ThrowIfNull(callback);
        return deferred.AddCallback(_ => callback());
    }

    /// <summary>Adds an asynchronous action for success; the chain waits for it.</summary>
    /// <param name="deferred">The Deferred.</param>
    /// <param name="callback">The action.</param>
    /// <returns>The same Deferred.</returns>
    public static Deferred<Unit> AddCallback(this Deferred<Unit> deferred, Func<Task> callback)
    {
        ArgumentNullException.ThrowIfNull(deferred);
        ArgumentNullException.ThrowIfNull(callback);
        return deferred.AddCallback(_ => callback());
    }

    /// <summary>Adds an action that handles a failure: the chain goes on with success.</summary>
    /// <param name="deferred">The Deferred.</param>
    /// <param name="errback">The action on the failure. To keep the failure, throw it on.</param>
    /// <returns>The same Deferred.</returns>
    public static Deferred<Unit> AddErrback(this Deferred<Unit> deferred, Action<Exception> errback)
    {
        ArgumentNullException.ThrowIfNull(deferred);
        ArgumentNullException.ThrowIfNull(errback);
        return deferred.AddErrback(error =>
        {
            errback(error);
            return default(Unit);
        });
    }

    /// <summary>Adds an asynchronous action that handles a failure: the chain waits for it and goes on with success.</summary>
    /// <param name="deferred">The Deferred.</param>
    /// <param name="errback">The action on the failure. To keep the failure, throw it on.</param>
    /// <returns>The same Deferred.</returns>
    public static Deferred<Unit> AddErrback(this Deferred<Unit> deferred, Func<Exception, Task> errback)
    {
        ArgumentNullException.ThrowIfNull(deferred);
        ArgumentNullException.ThrowIfNull(errback);
        return deferred.AddErrback(error => Deferred.FromTask(errback(error)));
    }
}
