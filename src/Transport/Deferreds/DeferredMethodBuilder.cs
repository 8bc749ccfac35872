using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

/// <summary>
/// Lets an <see langword="async"/> method return a <see cref="Deferred{T}"/>: Twisted's <c>inlineCallbacks</c>. For the compiler only.
/// </summary>
/// <remarks>
/// The method starts in the call, goes on inside the firing of what it awaits, and fires its Deferred when it ends. Cancelling that
/// Deferred cancels the Deferred that the method awaits at the time, through any depth; the method may catch, translate or survive
/// that, and its Deferred ends as it does (R-DEF-29). A request that comes while the method runs is for what it awaits next. While it
/// awaits something else, which cannot be told, its Deferred fails at once.
/// </remarks>
/// <typeparam name="T">The type of the value.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "Nobody compares builders.")]
public struct DeferredMethodBuilder<T>
{
    // The runtime's own builder boxes the method, flows its execution context and resumes it; its Task is never looked at.
    private AsyncTaskMethodBuilder _machinery;
    private Deferred<T>? _outcome;

    /// <summary>The Deferred that the method returns.</summary>
    public Deferred<T> Task => _outcome ??= new();

    /// <summary>Makes the builder of one call.</summary>
    /// <returns>The builder.</returns>
    [SuppressMessage("Design", "CA1000:Do not declare static members on generic types", Justification = "The compiler calls it.")]
    public static DeferredMethodBuilder<T> Create() => default;

    /// <summary>Runs the method to its first suspension.</summary>
    /// <typeparam name="TStateMachine">The compiled method.</typeparam>
    /// <param name="stateMachine">The compiled method.</param>
    public void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
        => _machinery.Start(ref stateMachine);

    /// <summary>Part of the compiler's pattern; classes have no use for it.</summary>
    /// <param name="stateMachine">The compiled method.</param>
    public void SetStateMachine(IAsyncStateMachine stateMachine) => _machinery.SetStateMachine(stateMachine);

    /// <summary>Fires the Deferred with the method's value.</summary>
    /// <param name="result">The value.</param>
    public void SetResult(T result) => Finish(new DeferredResult<T>(result));

    /// <summary>Fires the Deferred with the method's exception.</summary>
    /// <param name="exception">The exception.</param>
    public void SetException(Exception exception) => Finish(DeferredResult.Failure<T>(exception));

    /// <summary>Suspends the method.</summary>
    /// <typeparam name="TAwaiter">What it awaits.</typeparam>
    /// <typeparam name="TStateMachine">The compiled method.</typeparam>
    /// <param name="awaiter">What it awaits.</param>
    /// <param name="stateMachine">The compiled method.</param>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        Suspend(awaiter);
        _machinery.AwaitOnCompleted(ref awaiter, ref stateMachine);
    }

    /// <summary>Suspends the method.</summary>
    /// <typeparam name="TAwaiter">What it awaits.</typeparam>
    /// <typeparam name="TStateMachine">The compiled method.</typeparam>
    /// <param name="awaiter">What it awaits.</param>
    /// <param name="stateMachine">The compiled method.</param>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine
    {
        Suspend(awaiter);
        _machinery.AwaitUnsafeOnCompleted(ref awaiter, ref stateMachine);
    }

    /// <summary>A cancellation of the outcome is meant for what is awaited; a box of this builder's copy is made after this.</summary>
    private void Suspend<TAwaiter>(TAwaiter awaiter)
    {
        if (!Task.IsFired)
            Task.SuspendOn((awaiter as IDeferredAwaiter)?.Deferred);
    }

    private void Finish(DeferredResult<T> result)
    {
        _machinery.SetResult();

        // Cancelled while it awaited something that could not be told. It ran on, and nobody but the reporter is left to hear of a
        // failure.
        if (Task.IsFired && result.Error is { } late and not OperationCanceledException)
            Deferred.ReportUnhandled(late);

        Task.Fire(result);
    }
}
