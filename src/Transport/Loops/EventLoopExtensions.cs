namespace LoopBridge.Loops;

/// <summary>Conveniences on any loop, built on its public members alone.</summary>
public static class EventLoopExtensions
{
    /// <summary>Runs <paramref name="callback"/> once after <paramref name="delay"/>.</summary>
    public static LoopTimeout CallLater(this IEventLoop loop, TimeSpan delay, Action callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(callback);
        return loop.CallLater(delay, static state => ((Action)state!)(), callback);
    }

    /// <summary>Runs <paramref name="callback"/> once when the loop's time has reached <paramref name="deadline"/>.</summary>
    public static LoopTimeout CallAt(this IEventLoop loop, TimeSpan deadline, Action callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(callback);
        return loop.CallAt(deadline, static state => ((Action)state!)(), callback);
    }

    /// <inheritdoc cref="IEventLoop.CallBeforePoll"/>
    public static void CallBeforePoll(this IEventLoop loop, Action callback)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(callback);
        loop.CallBeforePoll(static state => ((Action)state!)(), callback);
    }

    /// <summary>
    /// Runs the loop on the calling thread until the task of <paramref name="function"/> is done, and gives its result or throws its
    /// exception. The loop can be started again afterwards.
    /// </summary>
    /// <param name="loop">A loop that is not running.</param>
    /// <param name="function">Started on the loop; it continues there after each await. Its token fires on time-out.</param>
    /// <param name="timeout">How long to wait at most. Defaults to no limit.</param>
    /// <exception cref="TimeoutException">The time was over first.</exception>
    /// <exception cref="InvalidOperationException">The loop is running, or was stopped before the task was done.</exception>
    public static TResult RunSync<TResult>(this IEventLoop loop, Func<CancellationToken, Task<TResult>> function, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(function);
        using var cancellation = new CancellationTokenSource();
        Task<TResult>? task = null;
        bool timedOut = false;
        bool over = false;
        LoopTimeout? timer = null;
        loop.AddCallback(() =>
        {
            if (over)
            {
                return; // Start did not get so far, and whoever runs the loop now did not ask for it
            }

            if (timeout is { } limit)
            {
                timer = loop.CallLater(limit, () =>
                {
                    timedOut = task is not { IsCompleted: true };
                    cancellation.Cancel();
                    loop.Stop();
                });
            }

            try
            {
                task = function(cancellation.Token)
                    ?? throw new InvalidOperationException("The function given to RunSync returned no task.");
            }
            catch (Exception e)
            {
                task = Task.FromException<TResult>(e); // thrown to the caller of RunSync below, like one from the task
            }

            // A stop that came through the context would run a turn late; a callback is the next turn's.
            task.ContinueWith(
                _ => loop.AddCallback(() =>
                {
                    if (!over)
                    {
                        loop.Stop(); // not the next run, if this one ended before its task
                    }
                }),
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        });
        try
        {
            loop.Start();
        }
        finally
        {
            over = true;
            if (timer is not null)
            {
                loop.RemoveTimeout(timer);
            }
        }

        if (task is { IsCompleted: true } && !timedOut)
        {
            return task.GetAwaiter().GetResult();
        }

        throw timedOut
            ? new TimeoutException($"The function given to RunSync was not done after {timeout}.")
            : new InvalidOperationException("The loop was stopped before the function given to RunSync was done.");
    }

    /// <inheritdoc cref="RunSync{TResult}"/>
    public static void RunSync(this IEventLoop loop, Func<CancellationToken, Task> function, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        loop.RunSync<bool>(async token =>
        {
            await function(token);
            return true;
        }, timeout);
    }
}
