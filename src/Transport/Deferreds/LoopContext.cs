namespace LoopBridge.Deferreds;

/// <summary>
/// The way home to the thread of a loop. Refuses to be made where there is none: firing or cancelling on a foreign thread would be a
/// race.
/// </summary>
internal readonly struct LoopContext
{
    private readonly SynchronizationContext _context;

    public LoopContext(SynchronizationContext? context)
        => _context = context ?? SynchronizationContext.Current ?? throw new InvalidOperationException(
            "Work that may end on another thread can join a Deferred only where a loop's SynchronizationContext is current or passed in.");

    /// <summary>Runs at once if this is the loop's thread, otherwise there, soon.</summary>
    public void Run(Action action)
    {
        if (ReferenceEquals(SynchronizationContext.Current, _context))
            action();
        else
            _context.Post(static state => ((Action)state!)(), action);
    }
}
