namespace LoopBridge.Loops;

/// <summary>A pending call of a loop, the handle to take it back with.</summary>
public abstract class LoopTimeout
{
    private protected LoopTimeout()
    {
    }

    /// <summary>When it is due, on the clock of its loop.</summary>
    public abstract TimeSpan Deadline { get; }

    /// <summary>Whether it has neither fired nor been removed.</summary>
    public abstract bool IsPending { get; }
}
