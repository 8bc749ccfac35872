using LoopBridge.Loops;

namespace LoopBridge.Coordination;

public static partial class LoopTasks
{
    /// <summary>
    /// Ends a Task, unless whoever waited has cancelled it. Ending it twice stays an error, which <c>TrySetResult</c> would hide. Any
    /// thread. Tornado: <c>future_set_result_unless_cancelled</c>.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="source">The Task's owner.</param>
    /// <param name="result">The result.</param>
    /// <returns>False if it was cancelled.</returns>
    /// <exception cref="InvalidOperationException">It has ended with a result or an error already.</exception>
    public static bool SetResultUnlessCancelled<T>(this TaskCompletionSource<T> source, T result)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.TrySetResult(result))
        {
            return true;
        }

        ThrowUnlessCancelled(source.Task);
        return false;
    }

    /// <inheritdoc cref="SetResultUnlessCancelled{T}(TaskCompletionSource{T}, T)"/>
    public static bool SetResultUnlessCancelled(this TaskCompletionSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.TrySetResult())
        {
            return true;
        }

        ThrowUnlessCancelled(source.Task);
        return false;
    }

    /// <summary>
    /// Ends a Task with an error. If whoever waited has cancelled it, the error goes to <see cref="IEventLoop.ExceptionHandler"/>: it must
    /// not be lost. Any thread. Tornado: <c>future_set_exception_unless_cancelled</c>.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="source">The Task's owner.</param>
    /// <param name="error">The error.</param>
    /// <param name="loop">The loop that hears of it if nobody else does.</param>
    /// <returns>False if it was cancelled.</returns>
    /// <exception cref="InvalidOperationException">It has ended with a result or an error already.</exception>
    public static bool SetExceptionUnlessCancelled<T>(this TaskCompletionSource<T> source, Exception error, IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(error);
        ArgumentNullException.ThrowIfNull(loop);
        if (source.TrySetException(error))
        {
            return true;
        }

        ThrowUnlessCancelled(source.Task);
        EscapedException.Report(loop, error, source.Task);
        return false;
    }

    /// <inheritdoc cref="SetExceptionUnlessCancelled{T}(TaskCompletionSource{T}, Exception, IEventLoop)"/>
    public static bool SetExceptionUnlessCancelled(this TaskCompletionSource source, Exception error, IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(error);
        ArgumentNullException.ThrowIfNull(loop);
        if (source.TrySetException(error))
        {
            return true;
        }

        ThrowUnlessCancelled(source.Task);
        EscapedException.Report(loop, error, source.Task);
        return false;
    }

    /// <summary>
    /// Ends one Task as another ends: with its result, its error or its cancellation. One that has ended by then stays as it is. Any
    /// thread. Tornado: <c>chain_future</c>.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="task">The one to follow; it may end on any thread.</param>
    /// <param name="target">The one that follows, on the loop.</param>
    /// <param name="loop">Where the target ends, in a later turn; if it is closed by then, at once.</param>
    public static void ChainTo<T>(this Task<T> task, TaskCompletionSource<T> target, IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(loop);
        task.ContinueWith(
            ended =>
            {
                if (!loop.AddCallback(() => target.TrySetFromTask(ended)))
                {
                    target.TrySetFromTask(ended);
                }
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static void ThrowUnlessCancelled(Task task)
    {
        if (!task.IsCanceled)
        {
            throw new InvalidOperationException("The task has ended already, and cannot end twice.");
        }
    }
}
