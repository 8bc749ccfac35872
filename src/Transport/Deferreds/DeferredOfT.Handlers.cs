using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

// Priorities settle what a lambda means when several overloads could take it. `_ => throw …`, `_ => null` and `_ => default` are plain
// values; an async lambda is a Deferred, which needs no marshalling and cancels what it awaits (R-DEF-29).
public sealed partial class Deferred<T>
{
    /// <summary>Adds a function from the value to the next value. A failure passes it by.</summary>
    /// <param name="callback">The function.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(2)]
    public Deferred<T> AddCallback(Func<T, T> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddLink(new HandlerLink<T>(callback, null));
    }

    /// <summary>Adds an action on the value; the value stays as it is. A failure passes it by.</summary>
    /// <param name="callback">The action.</param>
    /// <returns>This Deferred.</returns>
    public Deferred<T> AddCallback(Action<T> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddLink(new TapLink<T>(callback));
    }

    /// <summary>Adds a function to a Deferred; the chain waits for it and goes on with its result. A failure passes it by.</summary>
    /// <param name="callback">The function. The Deferred it returns is taken over: handlers added to that one later see default.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(1)]
    public Deferred<T> AddCallback(Func<T, Deferred<T>> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddLink(new DeferringHandlerLink<T>(callback, null));
    }

    /// <summary>
    /// Adds a function to a Task; the chain waits for it and goes on with its result, on the loop's thread. A failure passes it by.
    /// </summary>
    /// <param name="callback">
    /// The function; see <see cref="Deferred.FromTask{T}(Task{T}, SynchronizationContext?, CancellationTokenSource?)"/> for what happens
    /// to its Task.
    /// </param>
    /// <returns>This Deferred.</returns>
    public Deferred<T> AddCallback(Func<T, Task<T>> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddLink(new DeferringHandlerLink<T>(value => FromTask(callback(value)), null));
    }

    /// <inheritdoc cref="AddCallback(Func{T, Task{T}})"/>
    public Deferred<T> AddCallback(Func<T, ValueTask<T>> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddLink(new DeferringHandlerLink<T>(value => FromTask(callback(value)), null));
    }

    /// <summary>Adds an asynchronous action on the value: the chain waits for it, and the value stays as it is.</summary>
    /// <inheritdoc cref="AddCallback(Func{T, Task{T}})"/>
    public Deferred<T> AddCallback(Func<T, Task> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddLink(new DeferringHandlerLink<T>(value => FromTask(callback(value)).Then(_ => value), null));
    }

    /// <summary>Adds a function from a failure to the next value: the chain goes on with success. A value passes it by.</summary>
    /// <param name="errback">The function. To keep a failure, throw it on; its first stack stays.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(2)]
    public Deferred<T> AddErrback(Func<Exception, T> errback)
    {
        ArgumentNullException.ThrowIfNull(errback);
        return AddLink(new HandlerLink<T>(null, errback));
    }

    /// <summary>
    /// Adds a function from one kind of failure to the next value. Values and other failures pass it by. Twisted: <c>Failure.trap</c>.
    /// </summary>
    /// <typeparam name="TException">The exceptions it handles.</typeparam>
    /// <param name="errback">The function.</param>
    /// <returns>This Deferred.</returns>
    public Deferred<T> AddErrback<TException>(Func<TException, T> errback)
        where TException : Exception
    {
        ArgumentNullException.ThrowIfNull(errback);
        return AddLink(new TrappingLink<T, TException>(errback));
    }

    /// <summary>Adds a function from a failure to a Deferred; the chain waits for it and goes on with its result.</summary>
    /// <param name="errback">The function.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(1)]
    public Deferred<T> AddErrback(Func<Exception, Deferred<T>> errback)
    {
        ArgumentNullException.ThrowIfNull(errback);
        return AddLink(new DeferringHandlerLink<T>(null, errback));
    }

    /// <summary>Adds a function from a failure to a Task; the chain waits for it and goes on with its result.</summary>
    /// <param name="errback">The function.</param>
    /// <returns>This Deferred.</returns>
    public Deferred<T> AddErrback(Func<Exception, Task<T>> errback)
    {
        ArgumentNullException.ThrowIfNull(errback);
        return AddLink(new DeferringHandlerLink<T>(null, error => FromTask(errback(error))));
    }

    /// <summary>
    /// Adds a pair of functions, one of which runs. Unlike <c>AddCallback(…).AddErrback(…)</c>, the second does not see what the first
    /// throws.
    /// </summary>
    /// <param name="callback">From the value to the next value; null lets a value pass.</param>
    /// <param name="errback">From the failure to the next value; null lets a failure pass.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(2)]
    public Deferred<T> AddCallbacks(Func<T, T>? callback, Func<Exception, T>? errback)
        => AddLink(new HandlerLink<T>(callback, errback));

    /// <summary>Adds a pair of functions to Deferreds, one of which runs; the chain waits for what it returns.</summary>
    /// <param name="callback">From the value; null lets a value pass.</param>
    /// <param name="errback">From the failure; null lets a failure pass.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(1)]
    public Deferred<T> AddCallbacks(Func<T, Deferred<T>>? callback, Func<Exception, Deferred<T>>? errback)
        => AddLink(new DeferringHandlerLink<T>(callback, errback));

    /// <summary>
    /// Adds a function from the outcome, value or failure, to the next one. It may return a failure without throwing it.
    /// </summary>
    /// <param name="handler">The function.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(2)]
    public Deferred<T> AddBoth(Func<DeferredResult<T>, DeferredResult<T>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddLink(new BothLink<T>(handler));
    }

    /// <summary>
    /// Adds a function from the outcome, value or failure, to a Deferred; the chain waits for it and goes on with its result.
    /// </summary>
    /// <param name="handler">The function.</param>
    /// <returns>This Deferred.</returns>
    [OverloadResolutionPriority(1)]
    public Deferred<T> AddBoth(Func<DeferredResult<T>, Deferred<T>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddLink(new DeferringBothLink<T>(handler));
    }

    /// <summary>Adds an action for the end, good or bad, such as releasing something; the outcome stays as it is.</summary>
    /// <param name="handler">The action.</param>
    /// <returns>This Deferred.</returns>
    public Deferred<T> AddBoth(Action<DeferredResult<T>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddLink(new TapBothLink<T>(handler));
    }

    /// <summary>Adds an asynchronous action for the end, good or bad: the chain waits for it, and the outcome stays as it is.</summary>
    /// <param name="handler">The action.</param>
    /// <returns>This Deferred.</returns>
    public Deferred<T> AddBoth(Func<DeferredResult<T>, Task> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddLink(new DeferringBothLink<T>(result => FromTask(handler(result)).Then(_ => new Deferred<T>(result))));
    }
}
