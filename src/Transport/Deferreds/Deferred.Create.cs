using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

public abstract partial class Deferred
{
    /// <summary>Makes a Deferred that has fired with a value.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="value">The value.</param>
    /// <returns>The Deferred.</returns>
    /// <exception cref="ArgumentException"><paramref name="value"/> is itself a Deferred.</exception>
    public static Deferred<T> Succeed<T>(T value)
    {
        var deferred = new Deferred<T>();
        deferred.Callback(value);
        return deferred;
    }

    /// <summary>Makes a Deferred that has fired and says only "done".</summary>
    /// <returns>The Deferred.</returns>
    public static Deferred<Unit> Succeed() => Succeed(default(Unit));

    /// <summary>Makes a Deferred that has failed.</summary>
    /// <typeparam name="T">The type of the value that is missing.</typeparam>
    /// <param name="error">The failure.</param>
    /// <returns>The Deferred.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="error"/> is null.</exception>
    public static Deferred<T> Fail<T>(Exception error)
    {
        var deferred = new Deferred<T>();
        deferred.Errback(error);
        return deferred;
    }

    /// <summary>
    /// Calls a function and makes a Deferred of what it returns or throws. It never throws. Twisted: <c>maybeDeferred</c>.
    /// </summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="function">The function.</param>
    /// <returns>A Deferred that has fired, or the one that the function returned.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    public static Deferred<T> Maybe<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Succeed().Then(_ => function());
    }

    /// <inheritdoc cref="Maybe{T}(Func{T})"/>
    public static Deferred<T> Maybe<T>(Func<DeferredResult<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Succeed(default(T)!).AddBoth(_ => function());
    }

    /// <inheritdoc cref="Maybe{T}(Func{T})"/>
    [OverloadResolutionPriority(1)]
    public static Deferred<T> Maybe<T>(Func<Deferred<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        try
        {
            return function() ?? Fail<T>(ReturnedNull());
        }
        catch (Exception exception)
        {
            // What it throws is its result: callers of "maybe" have one way to hear of failure.
            return Fail<T>(exception);
        }
    }

    /// <inheritdoc cref="Maybe{T}(Func{T})"/>
    public static Deferred<T> Maybe<T>(Func<Task<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Maybe(() => FromTask(function()));
    }

    /// <inheritdoc cref="Maybe{T}(Func{T})"/>
    public static Deferred<Unit> Maybe(Func<Task> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Maybe(() => FromTask(function()));
    }

    /// <inheritdoc cref="Maybe{T}(Func{T})"/>
    public static Deferred<Unit> Maybe(Action function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Succeed().Then(_ => function());
    }
}
