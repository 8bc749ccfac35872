namespace LoopBridge.Deferreds;

/// <summary>Fires a Deferred with the outcome of a Task, on the loop's thread (R-DEF-33).</summary>
internal sealed class TaskAdoption<T>
{
    private readonly Task _task;
    private readonly LoopContext _home;
    private bool _isAsking;

    /// <param name="task">Has not ended. A <see cref="Task{T}"/>, or any if T is <see cref="Unit"/>.</param>
    /// <param name="home">Where the Deferred lives.</param>
    /// <param name="cancellation">Cancelled with the Deferred; null leaves the Task alone.</param>
    /// <param name="outcomeFollowsTask">Whether a cancellation leaves the outcome to the Task instead of failing at once.</param>
    public TaskAdoption(Task task, LoopContext home, CancellationTokenSource? cancellation, bool outcomeFollowsTask)
    {
        _task = task;
        _home = home;
        Deferred = outcomeFollowsTask
            ? Deferred<T>.Asking(_ => cancellation?.Cancel())
            : new Deferred<T>(_ => Ask(cancellation));

        // Not awaited: an awaiter resumes inline only where no foreign context is current, and a loop's own thread always has one.
        task.ContinueWith(
            static (_, adoption) => ((TaskAdoption<T>)adoption!).ComeHome(),
            this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public Deferred<T> Deferred { get; }

    /// <summary>Fires with the outcome of a Task that has ended.</summary>
    public static void Fire(Deferred<T> deferred, Task task)
    {
        if (task.IsCompletedSuccessfully)
            deferred.Callback(task is Task<T> { Result: var value } ? value : default!);
        else if (task.IsFaulted)
            deferred.Errback(task.Exception.InnerExceptions[0]);
        else
            deferred.Errback(Cancellation(task));
    }

    private void ComeHome() => _home.Run(Finish);

    private void Finish()
    {
        // Cancelled meanwhile. The Task's exception is left unobserved, for the runtime to report: here it has nowhere to go.
        if (!Deferred.IsFired && !_isAsking)
            Fire(Deferred, _task);
    }

    // The Deferred is cancelled whatever the Task does, also if it ends within this call.
    private void Ask(CancellationTokenSource? cancellation)
    {
        // One that has ended elsewhere needs to be asked nothing, and whoever made the token may have disposed of it.
        if (cancellation is null || _task.IsCompleted)
            return;

        _isAsking = true;
        try
        {
            cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Expected: it ended between the look and the question.
        }
    }

    private static DeferredCancelledException Cancellation(Task task)
    {
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (DeferredCancelledException exception)
        {
            // The Task was itself made of a Deferred: its exception goes on as it is.
            return exception;
        }
        catch (OperationCanceledException exception)
        {
            // Expected: the only way to the exception of a cancelled Task is to have it thrown.
            return new DeferredCancelledException("The Task was cancelled.", exception);
        }

        throw new InvalidOperationException("The Task was not cancelled.");
    }
}
