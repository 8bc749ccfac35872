namespace LoopBridge.Deferreds;

/// <summary>Fires a Deferred with the outcome of a Task, on the loop's thread (R-DEF-33).</summary>
internal sealed class TaskAdoption<T>
{
    private readonly Task<T> _task;
    private readonly LoopContext _home;

    /// <param name="task">Has not ended.</param>
    /// <param name="home">Where the Deferred lives.</param>
    /// <param name="cancellation">Cancelled with the Deferred; null leaves the Task alone.</param>
    /// <param name="outcomeFollowsTask">Whether a cancellation leaves the outcome to the Task instead of failing at once.</param>
    public TaskAdoption(Task<T> task, LoopContext home, CancellationTokenSource? cancellation, bool outcomeFollowsTask)
    {
        _task = task;
        _home = home;
        Deferred = outcomeFollowsTask
            ? Deferred<T>.Asking(_ => cancellation?.Cancel())
            : new Deferred<T>(_ => cancellation?.Cancel());

        // Not awaited: an awaiter resumes inline only where no foreign context is current, and a loop's own thread always has one.
        task.ContinueWith(
            static (_, adoption) => ((TaskAdoption<T>)adoption!).ComeHome(),
            this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public Deferred<T> Deferred { get; }

    /// <summary>Fires with the outcome of a Task that has ended.</summary>
    public static void Fire(Deferred<T> deferred, Task<T> task)
    {
        if (task.IsCompletedSuccessfully)
            deferred.Callback(task.Result);
        else if (task.IsFaulted)
            deferred.Errback(task.Exception.InnerExceptions[0]);
        else
            deferred.Errback(Cancellation(task));
    }

    private void ComeHome() => _home.Run(Finish);

    private void Finish()
    {
        // Cancelled meanwhile. The Task's exception is left unobserved, for the runtime to report: here it has nowhere to go.
        if (!Deferred.IsFired)
            Fire(Deferred, _task);
    }

    private static DeferredCancelledException Cancellation(Task<T> task)
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
