namespace LoopBridge.Loops;

/// <remarks>
/// The same turn, one at a time, for whoever drives the loop by hand instead of starting it. The driver then must not wait.
/// </remarks>
public sealed partial class EventLoop
{
    private bool _isStepping;

    /// <summary>Whether the next turn has something to do by the present time, apart from what its poll finds. Loop thread.</summary>
    internal bool HasWork
        => !_callbacks.IsEmpty || !_sends.IsEmpty || !_beforePoll.IsEmpty || (_timers.NextDeadline is { } deadline && deadline <= Time.Ticks);

    /// <summary>When the earliest timeout is due. Loop thread.</summary>
    internal TimeSpan? NextDeadline => _timers.NextDeadline is { } ticks ? new TimeSpan(ticks) : null;

    /// <summary>
    /// Makes the loop the calling thread's between turns as well: what belongs to the loop may be used there while nobody runs it.
    /// </summary>
    internal void Adopt() => Volatile.Write(ref _threadId, Environment.CurrentManagedThreadId);

    /// <summary>
    /// Runs one whole turn, poll and handlers included, unless it is stopped before. The loop stays the calling thread's.
    /// </summary>
    internal void Step()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (Interlocked.Exchange(ref _running, 1) == 1)
        {
            throw new InvalidOperationException($"The loop '{Name}' is already running.");
        }

        LoopRun run = CurrentLoop.Enter(_face);
        DispatchThread thread = DispatchThread.Take();
        Adopt();
        _isStepping = true;
        try
        {
            RunTurns();
        }
        finally
        {
            _isStepping = false;
            run.Dispose();
            thread.Dispose();
            Volatile.Write(ref _running, 0);
        }
    }
}
