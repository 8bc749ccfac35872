namespace LoopBridge.Loops;

/// <summary>Waits for a task on behalf of a loop, and then runs a callback there with it.</summary>
internal sealed class FutureCallback<TTask>(IEventLoop loop, TTask task, Action<TTask> callback) : IPassesOn
    where TTask : Task
{
    // Of the one who asked, not of the thread that happens to finish the task.
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    public object Source => callback;

    internal void Attach()
    {
        if (task.IsCompleted)
        {
            Queue();
            return;
        }

        // Not awaited: queueing needs no context, and on a task that a loop's thread finishes it needs no further turn.
        task.ContinueWith(
            static (_, waiting) => ((FutureCallback<TTask>)waiting!).Queue(),
            this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Queue()
    {
        if (_context is null)
        {
            loop.SpawnCallback(Run);
        }
        else
        {
            ExecutionContext.Run(_context, static waiting =>
            {
                var future = (FutureCallback<TTask>)waiting!;
                _ = future.Loop.AddCallback(future.Run); // false: the loop is closed, and its callbacks are dropped
            }, this);
        }
    }

    private IEventLoop Loop => loop;

    private void Run() => callback(task);
}
