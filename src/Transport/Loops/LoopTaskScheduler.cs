namespace LoopBridge.Loops;

/// <summary>Runs tasks as callbacks of a loop.</summary>
internal sealed class LoopTaskScheduler(IPostTarget loop) : TaskScheduler
{
    public override int MaximumConcurrencyLevel => 1;

    protected override void QueueTask(Task task)
    {
        bool posted = loop.Post(static state =>
        {
            (LoopTaskScheduler scheduler, Task queued) = ((LoopTaskScheduler, Task))state!;
            scheduler.TryExecuteTask(queued);
        }, (this, task));
        ObjectDisposedException.ThrowIf(!posted, loop);
    }

    // Inline only what was never queued: a queued one would run twice over, ahead of its turn.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
        => !taskWasPreviouslyQueued && loop.IsOnThread && TryExecuteTask(task);

    /// <summary>For debuggers only, which ask with all threads stopped; the queue keeps no list of tasks.</summary>
    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
