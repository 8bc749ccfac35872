using LoopBridge.Deferreds;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

public static partial class LoopTasks
{
    /// <summary>Waits for a Task, but not for ever. Tornado: <c>gen.with_timeout</c>.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="loop">The loop whose clock counts.</param>
    /// <param name="task">
    /// What to wait for. It may end on any thread. After a time-out it goes on; if it fails then, that goes to
    /// <see cref="IEventLoop.ExceptionHandler"/>, unless it was cancelled.
    /// </param>
    /// <param name="timeout">
    /// How long to wait at most. <see cref="Timeout.InfiniteTimeSpan"/> sets no limit; any other negative span is over already.
    /// </param>
    /// <param name="quiet">Types of exceptions, with those derived from them, that are not worth telling of after a time-out.</param>
    /// <returns>Ends as the Task does, in a later turn; the Task itself, if it has ended already.</returns>
    /// <exception cref="TimeoutException">The time was over first.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static Task<T> WithTimeoutAsync<T>(
        this IEventLoop loop, Task<T> task, TimeSpan timeout, IReadOnlyCollection<Type>? quiet = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(task);
        LoopAffinity.Verify(loop, "time-out");
        return task.IsCompleted || timeout == Timeout.InfiniteTimeSpan ? task : new TimeLimit<T>(loop, task, timeout, quiet).Outcome;
    }

    /// <inheritdoc cref="WithTimeoutAsync{T}(IEventLoop, Task{T}, TimeSpan, IReadOnlyCollection{Type})"/>
    public static Task WithTimeoutAsync(
        this IEventLoop loop, Task task, TimeSpan timeout, IReadOnlyCollection<Type>? quiet = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        return loop.WithTimeoutAsync(WithUnit(task), timeout, quiet);
    }

    /// <summary>Waits for a Deferred, but not for ever; see the form for Tasks. The Deferred is only awaited, and not cancelled.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="loop">The loop whose clock counts, and that the Deferred belongs to.</param>
    /// <param name="deferred">What to wait for.</param>
    /// <param name="timeout">How long to wait at most.</param>
    /// <param name="quiet">Types of exceptions that are not worth telling of after a time-out.</param>
    /// <exception cref="TimeoutException">The time was over first.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public static Task<T> WithTimeoutAsync<T>(
        this IEventLoop loop, Deferred<T> deferred, TimeSpan timeout, IReadOnlyCollection<Type>? quiet = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(deferred);
        LoopAffinity.Verify(loop, "time-out");
        return loop.WithTimeoutAsync(AwaitAsync(deferred), timeout, quiet);
    }

    private static async Task<Unit> WithUnit(Task task)
    {
        await task.ConfigureAwait(false);
        return default;
    }
}
