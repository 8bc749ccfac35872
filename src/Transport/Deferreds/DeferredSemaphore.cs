using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

/// <summary>
/// Lets a number of users at a time go on. For reactor code; see <see cref="DeferredLock"/>. Twisted: <c>DeferredSemaphore</c>.
/// </summary>
/// <remarks>Waiters are served first come first served, inside the call that gives a permit back. Belongs to one loop's thread.</remarks>
public sealed class DeferredSemaphore
{
    private readonly DeferredPermits _permits;

    /// <summary>Makes one with all permits free.</summary>
    /// <param name="limit">How many may go on at a time. At least one.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="limit"/> is less than one.</exception>
    public DeferredSemaphore(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        Limit = limit;
        _permits = new DeferredPermits(limit);
    }

    /// <summary>How many may go on at a time.</summary>
    public int Limit { get; }

    /// <summary>How many permits are free.</summary>
    public int Free => _permits.Free;

    /// <summary>How many wait for a permit.</summary>
    public int Waiting => _permits.Waiting;

    /// <summary>Waits for a permit.</summary>
    /// <returns>
    /// Fires with the permit; at once if one is free. Cancelling leaves the line; when it has fired, cancelling changes nothing and the
    /// permit must be given back.
    /// </returns>
    public Deferred<DeferredPermit> Acquire() => _permits.Acquire();

    /// <summary>Runs a function with a permit, and gives it back when what the function returns has ended, in whichever way.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="function">The function.</param>
    /// <returns>
    /// Ends as the function's Deferred does. Cancelling it leaves the line, or cancels what the function returned.
    /// </returns>
    [OverloadResolutionPriority(1)]
    public Deferred<T> Run<T>(Func<Deferred<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return _permits.Run(function);
    }

    /// <summary>Runs a function with a permit.</summary>
    /// <inheritdoc cref="Run{T}(Func{Deferred{T}})"/>
    public Deferred<T> Run<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return _permits.Run(() => Deferred.Succeed(function()));
    }
}
