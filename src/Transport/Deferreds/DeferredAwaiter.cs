using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

/// <summary>What <see langword="await"/> uses to wait for a Deferred of which only the end matters.</summary>
/// <remarks>It goes on inside the firing, on the thread that fires; it captures no <see cref="SynchronizationContext"/>.</remarks>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "Nobody compares awaiters.")]
public readonly struct DeferredAwaiter : ICriticalNotifyCompletion, IDeferredAwaiter
{
    private readonly Deferred _deferred;

    internal DeferredAwaiter(Deferred deferred) => _deferred = deferred;

    /// <summary>Whether the result is there, so that nothing needs to be suspended.</summary>
    public bool IsCompleted => _deferred.HasResult;

    Deferred IDeferredAwaiter.Deferred => _deferred;

    /// <summary>Ends the wait. A failure is thrown: the original exception, with its original stack.</summary>
    /// <exception cref="InvalidOperationException">There is no result yet: nothing here blocks.</exception>
    public void GetResult() => _deferred.ObserveOutcome();

    /// <summary>Runs an action when the result comes; the caller's execution context flows to it.</summary>
    /// <param name="continuation">The action.</param>
    public void OnCompleted(Action continuation) => _deferred.OnSettled(DeferredAwaiters.Flow(continuation));

    /// <summary>Runs an action when the result comes, in whatever execution context the firing has.</summary>
    /// <param name="continuation">The action.</param>
    public void UnsafeOnCompleted(Action continuation) => _deferred.OnSettled(continuation);
}

/// <summary>What <see langword="await"/> uses to wait for the value of a Deferred.</summary>
/// <remarks><inheritdoc cref="DeferredAwaiter"/></remarks>
/// <typeparam name="T">The type of the value.</typeparam>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "Nobody compares awaiters.")]
public readonly struct DeferredAwaiter<T> : ICriticalNotifyCompletion, IDeferredAwaiter
{
    private readonly Deferred<T> _deferred;

    internal DeferredAwaiter(Deferred<T> deferred) => _deferred = deferred;

    /// <summary>Whether the result is there, so that nothing needs to be suspended.</summary>
    public bool IsCompleted => _deferred.HasResult;

    Deferred IDeferredAwaiter.Deferred => _deferred;

    /// <summary>Ends the wait. A failure is thrown: the original exception, with its original stack.</summary>
    /// <returns>The value, which stays in the Deferred.</returns>
    /// <exception cref="InvalidOperationException">There is no result yet: nothing here blocks.</exception>
    public T GetResult() => _deferred.Observe();

    /// <summary>Runs an action when the result comes; the caller's execution context flows to it.</summary>
    /// <param name="continuation">The action.</param>
    public void OnCompleted(Action continuation) => _deferred.OnSettled(DeferredAwaiters.Flow(continuation));

    /// <summary>Runs an action when the result comes, in whatever execution context the firing has.</summary>
    /// <param name="continuation">The action.</param>
    public void UnsafeOnCompleted(Action continuation) => _deferred.OnSettled(continuation);
}

/// <summary>Lets the builder of async Deferreds see what the method waits for, to cancel it (R-DEF-29).</summary>
internal interface IDeferredAwaiter
{
    Deferred Deferred { get; }
}

internal static class DeferredAwaiters
{
    public static Action Flow(Action continuation)
        => ExecutionContext.Capture() is { } context
            ? () => ExecutionContext.Run(context, static action => ((Action)action!)(), continuation)
            : continuation;
}

/// <summary>Resumes an awaiting method at its place in the chain; what it awaited stays in place for those after it.</summary>
internal sealed class AwaitLink<T>(Action continuation) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        continuation();
        return null;
    }
}
