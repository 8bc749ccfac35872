namespace LoopBridge.Deferreds;

public sealed partial class Deferred<T>
{
    private TaskCompletionSource<T>? _task;

    /// <summary>
    /// Lets <see langword="await"/> wait for the value. A failure is thrown: the original exception with its original stack.
    /// </summary>
    /// <returns>The awaiter.</returns>
    public new DeferredAwaiter<T> GetAwaiter() => new(this);

    /// <summary>
    /// Makes a Task of it, for code that knows only Tasks. The Task takes the result over: handlers added afterwards see
    /// <see langword="default"/>, and a failure is the Task's to report. Every call returns the same Task.
    /// </summary>
    /// <remarks>
    /// A result that is there makes a completed Task. A failure that is an <see cref="OperationCanceledException"/> makes a cancelled
    /// Task, and awaiting it throws that very exception. What awaits the Task goes on in its own context (on a loop: by a post to it),
    /// never inside the firing; to stay in the firing turn, await the Deferred itself.
    /// </remarks>
    /// <returns>The Task.</returns>
    public new Task<T> ToTask()
    {
        if (_task is null)
        {
            _task = new(TaskCreationOptions.RunContinuationsAsynchronously);
            AddLink(new TaskLink<T>(_task));
        }

        return _task.Task;
    }

    /// <summary>As <see cref="ToTask()"/>, and a token can give up: it cancels the Task at once and the Deferred with it.</summary>
    /// <param name="cancellationToken">May be cancelled on any thread; the cancellation is brought to the loop.</param>
    /// <param name="context">Brings the cancellation to the loop. Defaults to the current one.</param>
    /// <returns>The Task.</returns>
    /// <exception cref="InvalidOperationException">
    /// The token can be cancelled, and there is no context to bring that to the loop.
    /// </exception>
    public new Task<T> ToTask(CancellationToken cancellationToken, SynchronizationContext? context = null)
    {
        if (!cancellationToken.CanBeCanceled || HasResult)
            return ToTask();

        var home = new LoopContext(context);
        Task<T> task = ToTask();
        if (task.IsCompleted)
            return task;

        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            (_, token) => home.Run(() =>
            {
                // The Task first: a value that the canceller still produces comes too late for it (R-DEF-32).
                if (_task!.TrySetCanceled(token))
                    Cancel();
            }),
            null);
        if (!task.IsCompleted)
            AddLink(new TapBothLink<T>(_ => registration.Dispose()));
        return task;
    }

    internal override void ObserveOutcome() => Observe();

    internal override void OnSettled(Action continuation)
    {
        ArgumentNullException.ThrowIfNull(continuation);
        AddLink(new AwaitLink<T>(continuation));
    }

    private protected override Task ToUntypedTask() => ToTask();

    private protected override Task ToUntypedTask(SynchronizationContext? context, CancellationToken cancellationToken)
        => ToTask(cancellationToken, context);
}
