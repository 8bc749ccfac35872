namespace LoopBridge.Loops;

/// <summary>A callback that goes on after it has returned: its failure is the loop's to tell of, because nobody holds its task.</summary>
internal static class TaskCallback
{
    internal static bool Add(IEventLoop loop, Func<Task> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Add(loop, callback, callback);
    }

    internal static bool Add(IEventLoop loop, Func<ValueTask> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Add(loop, () => callback().AsTask(), callback);
    }

    /// <param name="loop">Runs it.</param>
    /// <param name="run">What runs.</param>
    /// <param name="source">What to name in the log.</param>
    internal static bool Add(IEventLoop loop, Func<Task> run, Delegate source) => loop.AddCallback(
        static state =>
        {
            (IEventLoop loop, Func<Task> run, Delegate source) = ((IEventLoop, Func<Task>, Delegate))state!;
            _ = RunAsync(loop, run, source);
        },
        (loop, run, source));

    // Awaits in the loop's context, so that the failure is told on the loop's thread.
    private static async Task RunAsync(IEventLoop loop, Func<Task> run, Delegate source)
    {
        try
        {
            await (run() ?? throw new InvalidOperationException("The callback returned null instead of a task."));
        }
        catch (OperationCanceledException)
        {
            // Expected: whoever cancelled it wanted its end (Tornado 6 ignores CancelledError here, too).
        }
        catch (Exception e)
        {
            loop.ReportException(e, source); // user code: logged once
        }
    }
}
