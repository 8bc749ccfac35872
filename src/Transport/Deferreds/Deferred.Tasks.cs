namespace LoopBridge.Deferreds;

public abstract partial class Deferred
{
    /// <summary>Makes a Deferred of a Task. It fires on the loop's thread with the Task's value or exception.</summary>
    /// <remarks>
    /// A Task that has ended gives a Deferred that has fired. A cancelled Task gives a <see cref="DeferredCancelledException"/>. When
    /// the Task ends on the loop's thread the Deferred fires there and then; otherwise it is posted to <paramref name="context"/>.
    /// </remarks>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="task">The Task.</param>
    /// <param name="context">The loop's. Defaults to the current one.</param>
    /// <param name="cancellation">
    /// What cancelling the Deferred cancels, so as to ask the Task to stop; the Deferred fails at once, whatever the Task does. It is not
    /// disposed. Defaults to null: the Task runs on, and what becomes of it is ignored.
    /// </param>
    /// <returns>The Deferred.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="task"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The Task has not ended, and there is no context to fire in.</exception>
    public static Deferred<T> FromTask<T>(
        Task<T> task, SynchronizationContext? context = null, CancellationTokenSource? cancellation = null)
        => FromTask<T>(task, context, cancellation, outcomeFollowsTask: false);

    /// <summary>Makes a Deferred of a Task without a value.</summary>
    /// <inheritdoc cref="FromTask{T}(Task{T}, SynchronizationContext?, CancellationTokenSource?)"/>
    public static Deferred<Unit> FromTask(
        Task task, SynchronizationContext? context = null, CancellationTokenSource? cancellation = null)
    {
        return FromTask<Unit>(task, context, cancellation, outcomeFollowsTask: false);
    }

    /// <summary>
    /// Runs an asynchronous function up to its first suspension and makes a Deferred of the rest. It never throws.
    /// </summary>
    /// <remarks>
    /// Cancelling the Deferred cancels the function's token and nothing else: the function may stop, translate the cancellation or
    /// finish its work, and the Deferred ends as it does. For functions that await Deferreds an <see langword="async"/> method that
    /// returns a <see cref="Deferred{T}"/> is simpler: cancelling it cancels what it awaits.
    /// </remarks>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="function">The function.</param>
    /// <param name="context">The loop's. Defaults to the current one.</param>
    /// <returns>The Deferred. It fails if there is no context and the Task does not end at once.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    public static Deferred<T> Run<T>(Func<CancellationToken, Task<T>> function, SynchronizationContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Run<T>((Func<CancellationToken, Task>)function, context);
    }

    /// <inheritdoc cref="Run{T}(Func{CancellationToken, Task{T}}, SynchronizationContext?)"/>
    public static Deferred<Unit> Run(Func<CancellationToken, Task> function, SynchronizationContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Run<Unit>(function, context);
    }

    internal static Deferred<T> FromTask<T>(ValueTask<T> task)
        => task.IsCompletedSuccessfully ? Succeed(task.Result) : FromTask(task.AsTask());

    private static Deferred<T> Run<T>(Func<CancellationToken, Task> function, SynchronizationContext? context)
    {
        // Never disposed: it has no timer and no parent, and the function may end while it is being cancelled.
        var cancellation = new CancellationTokenSource();
        return Maybe(() => FromTask<T>(function(cancellation.Token), context, cancellation, outcomeFollowsTask: true));
    }

    // Of a Task<T>, or of a Task if T is Unit. Not through a second Task that waits for the first: that one would end on another thread.
    private static Deferred<T> FromTask<T>(
        Task task, SynchronizationContext? context, CancellationTokenSource? cancellation, bool outcomeFollowsTask)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (!task.IsCompleted)
            return new TaskAdoption<T>(task, new LoopContext(context), cancellation, outcomeFollowsTask).Deferred;

        var deferred = new Deferred<T>();
        TaskAdoption<T>.Fire(deferred, task);
        return deferred;
    }
}
