namespace LoopBridge.Kestrel;

/// <summary>What the listeners of the process have counted. Any thread.</summary>
internal sealed class AcceptCounters
{
    private long _rejected;

    /// <summary>Connections closed because their endpoint had as many as it may have.</summary>
    internal long Rejected => Interlocked.Read(ref _rejected);

    internal void AddRejected() => Interlocked.Increment(ref _rejected);
}
