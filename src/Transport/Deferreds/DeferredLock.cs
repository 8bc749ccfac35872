using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

/// <summary>
/// Lets one at a time go on. For reactor code; loop code finds <see cref="LoopBridge.Coordination"/> more to its liking. Twisted:
/// <c>DeferredLock</c>.
/// </summary>
/// <remarks>Waiters are served first come first served, inside the call that gives the permit back. Belongs to one loop's thread.</remarks>
/// <example>
/// <code>
/// using (await gate.Acquire())
///     await WriteBoth();
/// </code>
/// </example>
public sealed class DeferredLock
{
    private readonly DeferredPermits _permits = new(1);

    /// <summary>Whether somebody holds it.</summary>
    public bool IsLocked => _permits.Free == 0;

    /// <summary>How many wait for it.</summary>
    public int Waiting => _permits.Waiting;

    /// <summary>Waits for it.</summary>
    /// <returns>
    /// Fires with the permit; at once if nobody holds it. Cancelling leaves the line; when it has fired, cancelling changes nothing and
    /// the permit must be given back.
    /// </returns>
    public Deferred<DeferredPermit> Acquire() => _permits.Acquire();

    /// <summary>Runs a function under the lock, and gives the lock back when what it returns has ended, in whichever way.</summary>
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

    /// <summary>Runs a function under the lock.</summary>
    /// <inheritdoc cref="Run{T}(Func{Deferred{T}})"/>
    public Deferred<T> Run<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return _permits.Run(() => Deferred.Succeed(function()));
    }
}
