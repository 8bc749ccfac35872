using System.Runtime.CompilerServices;

namespace LoopBridge.Loops;

/// <summary>Ways to add callbacks to any loop, built on its public members alone.</summary>
public static class CallbackExtensions
{
    /// <summary>
    /// As <see cref="IEventLoop.AddCallback(Action)"/>, but without the caller's ambient context: nothing that an
    /// <see cref="AsyncLocal{T}"/> holds reaches the callback, nor what it starts. For work that outlives its caller, such as a background
    /// job that a request sets off. Any thread.
    /// </summary>
    /// <returns>False, and the callback is dropped, if the loop is closed.</returns>
    public static bool SpawnCallback(this IEventLoop loop, Action callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(callback);
        using FlowSuppression suppression = FlowSuppression.Begin();
        return loop.AddCallback(
            static callback => NoAmbientContext.Run(static callback => ((Action)callback!)(), callback), callback);
    }

    /// <inheritdoc cref="SpawnCallback(IEventLoop, Action)"/>
    /// <param name="loop">Runs it.</param>
    /// <param name="callback">Begun on the loop; it continues there after each await. A failure of its task is logged.</param>
    [OverloadResolutionPriority(1)]
    public static bool SpawnCallback(this IEventLoop loop, Func<Task> callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(callback);
        using FlowSuppression suppression = FlowSuppression.Begin();
        return TaskCallback.Add(loop, () =>
        {
            Task? task = null;
            NoAmbientContext.Run(_ => task = callback(), null);
            return task!;
        }, callback);
    }

    /// <summary>
    /// <see cref="IEventLoop.AddCallback(Action)"/> under the name that Tornado has for it in signal handlers. .NET runs those
    /// (<see cref="System.Runtime.InteropServices.PosixSignalRegistration"/>) on a thread of their own and never interrupts one that might
    /// hold a lock, so there is nothing more to it. Any thread.
    /// </summary>
    /// <returns>False, and the callback is dropped, if the loop is closed.</returns>
    public static bool AddCallbackFromSignal(this IEventLoop loop, Action callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        return loop.AddCallback(callback);
    }

    /// <summary>
    /// Runs <paramref name="callback"/> with <paramref name="task"/> when that is finished, whatever its outcome and whichever thread
    /// finished it: on the loop, in a later turn than this call, under the caller's ambient context. Dropped if the loop is closed by then.
    /// Any thread.
    /// </summary>
    /// <remarks>The outcome is the callback's to look at. Code that can await does that instead.</remarks>
    public static void AddFuture(this IEventLoop loop, Task task, Action<Task> callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(callback);
        new FutureCallback<Task>(loop, task, callback).Attach();
    }

    /// <inheritdoc cref="AddFuture(IEventLoop, Task, Action{Task})"/>
    [OverloadResolutionPriority(1)]
    public static void AddFuture<TResult>(this IEventLoop loop, Task<TResult> task, Action<Task<TResult>> callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(callback);
        new FutureCallback<Task<TResult>>(loop, task, callback).Attach();
    }
}
