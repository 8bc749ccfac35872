using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

/// <summary>Ends a Task with the result and leaves default behind (R-DEF-32).</summary>
internal sealed class TaskLink<T>(TaskCompletionSource<T> task) : Link<T>
{
    public override Deferred? Run(Deferred<T> owner)
    {
        // Try…: a token may have cancelled the Task already, and then a late result is ignored.
        if (owner.Failure?.SourceException is not { } error)
            task.TrySetResult(owner.Value);
        else if (error is OperationCanceledException cancelled)
            task.TrySetFromTask(Cancelled(cancelled));
        else if (!task.TrySetException(error))
            Deferred.ReportUnhandled(error); // the Task cannot tell of it any more

        owner.Value = default!;
        return null;
    }

    /// <summary>
    /// A cancelled Task that still throws the given exception, with its type and stack, when awaited. Only the builder of async methods
    /// makes one; <see cref="TaskCompletionSource{T}.TrySetCanceled()"/> would put a <see cref="TaskCanceledException"/> in its place.
    /// </summary>
    private static Task<T> Cancelled(OperationCanceledException exception)
    {
        var builder = AsyncTaskMethodBuilder<T>.Create();
        Task<T> task = builder.Task;
        builder.SetException(exception);
        return task;
    }
}
