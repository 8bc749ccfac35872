namespace LoopBridge.Loops;

/// <summary>
/// The time for which a dispatcher has a thread. It begins outside any synchronization context; its end puts back all that the dispatcher
/// has changed about the thread.
/// </summary>
internal readonly struct DispatchThread : IDisposable
{
    private readonly ExecutionContext? _ambient;
    private readonly SynchronizationContext? _previous;

    private DispatchThread(ExecutionContext? ambient, SynchronizationContext? previous)
    {
        _ambient = ambient;
        _previous = previous;
    }

    internal static DispatchThread Take()
    {
        var thread = new DispatchThread(ExecutionContext.Capture(), SynchronizationContext.Current);
        SynchronizationContext.SetSynchronizationContext(null);
        return thread;
    }

    public void Dispose()
    {
        SynchronizationContext.SetSynchronizationContext(_previous);
        if (_ambient is not null)
        {
            ExecutionContext.Restore(_ambient);
        }
    }
}
