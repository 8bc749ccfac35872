namespace LoopBridge.Loops;

/// <summary>Takes blocking work off a loop.</summary>
public static class ExecutorExtensions
{
    // Its threads belong to the work, not to code that waits for it without a context.
    private const TaskCreationOptions Options =
        TaskCreationOptions.DenyChildAttach | TaskCreationOptions.HideScheduler | TaskCreationOptions.RunContinuationsAsynchronously;

    /// <summary>
    /// Runs <paramref name="function"/> on a thread of an executor and gives its result or exception. Loop code that awaits it continues
    /// on its loop. Any thread.
    /// </summary>
    /// <param name="loop">Whose <see cref="IEventLoop.DefaultExecutor"/> it is, if no other is given.</param>
    /// <param name="function">It may block. It runs under the caller's ambient context, and belongs to no loop.</param>
    /// <param name="executor">Where it runs. Defaults to the loop's <see cref="IEventLoop.DefaultExecutor"/>.</param>
    /// <param name="cancellationToken">Takes it back while it waits for a thread; what has begun runs to its end.</param>
    public static Task<TResult> RunInExecutorAsync<TResult>(
        this IEventLoop loop, Func<TResult> function, TaskScheduler? executor = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(function);
        return Task.Factory.StartNew(function, cancellationToken, Options, executor ?? loop.DefaultExecutor);
    }

    /// <inheritdoc cref="RunInExecutorAsync{TResult}"/>
    public static Task RunInExecutorAsync(
        this IEventLoop loop, Action function, TaskScheduler? executor = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(function);
        return Task.Factory.StartNew(function, cancellationToken, Options, executor ?? loop.DefaultExecutor);
    }
}
