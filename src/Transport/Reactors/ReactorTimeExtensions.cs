using System.Runtime.CompilerServices;
using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

/// <summary>Deferreds and the clock of a reactor. Everything here belongs to the reactor's thread.</summary>
public static class ReactorTimeExtensions
{
    /// <summary>
    /// Cancels a Deferred that has no result in time, and makes a <see cref="TimeoutException"/> of that cancellation. Twisted:
    /// <c>addTimeout</c>.
    /// </summary>
    /// <remarks>
    /// Handlers added before this see the cancellation itself, and may handle it: then there is no timeout. A value that the canceller
    /// fires stays. A cancellation by anybody else before the time is over stays a cancellation.
    /// </remarks>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="deferred">The Deferred.</param>
    /// <param name="timeout">How long to wait for its result, as it is at this point of the chain. Zero gives it until the next turn.</param>
    /// <param name="clock">The reactor, or another clock. The limit is one of its delayed calls until the result comes.</param>
    /// <param name="onTimeout">
    /// Makes the result of what the cancellation left, and of <paramref name="timeout"/>, in place of the exception. Not called when the
    /// result came in time. Defaults to null.
    /// </param>
    /// <returns>The same Deferred.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative.</exception>
    public static Deferred<T> AddTimeout<T>(
        this Deferred<T> deferred,
        TimeSpan timeout,
        IReactorTime clock,
        Func<DeferredResult<T>, TimeSpan, DeferredResult<T>>? onTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(deferred);
        ArgumentNullException.ThrowIfNull(clock);
        new DeferredTimeout<T>(deferred, timeout, onTimeout).Begin(clock);
        return deferred;
    }

    /// <summary>Waits. Twisted: <c>deferLater</c> without a function.</summary>
    /// <param name="clock">The reactor, or another clock.</param>
    /// <param name="delay">How long. Zero means the next turn.</param>
    /// <returns>Fires when the time has come. Cancelling it takes the delayed call back.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is negative.</exception>
    public static Deferred<Unit> DeferLater(this IReactorTime clock, TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(clock);
        IDelayedCall? call = null;
        var due = new Deferred<Unit>(_ =>
        {
            // Gone already if somebody else cancelled it, as the end of a reactor does.
            if (call!.Active)
            {
                call.Cancel();
            }
        });
        call = clock.CallLater(delay, static state => ((Deferred<Unit>)state!).Callback(), due);
        return due;
    }

    /// <summary>Calls a function later. Twisted: <c>deferLater</c>.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="clock">The reactor, or another clock.</param>
    /// <param name="delay">How long to wait. Zero means the next turn.</param>
    /// <param name="function">The function.</param>
    /// <returns>
    /// Fires with what the function returns, or fails with what it throws. Cancelling it takes the delayed call back, or cancels what the
    /// function returned.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is negative.</exception>
    public static Deferred<T> DeferLater<T>(this IReactorTime clock, TimeSpan delay, Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return clock.DeferLater(delay).Then(_ => function());
    }

    /// <inheritdoc cref="DeferLater{T}(IReactorTime, TimeSpan, Func{T})"/>
    [OverloadResolutionPriority(1)]
    public static Deferred<T> DeferLater<T>(this IReactorTime clock, TimeSpan delay, Func<Deferred<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return clock.DeferLater(delay).Then(_ => function());
    }

    /// <inheritdoc cref="DeferLater{T}(IReactorTime, TimeSpan, Func{T})"/>
    public static Deferred<T> DeferLater<T>(this IReactorTime clock, TimeSpan delay, Func<Task<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return clock.DeferLater(delay).Then(_ => function());
    }

    /// <inheritdoc cref="DeferLater{T}(IReactorTime, TimeSpan, Func{T})"/>
    public static Deferred<Unit> DeferLater(this IReactorTime clock, TimeSpan delay, Func<Task> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return clock.DeferLater(delay).Then(_ => function());
    }

    /// <inheritdoc cref="DeferLater{T}(IReactorTime, TimeSpan, Func{T})"/>
    public static Deferred<Unit> DeferLater(this IReactorTime clock, TimeSpan delay, Action function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return clock.DeferLater(delay).Then(_ => function());
    }
}
