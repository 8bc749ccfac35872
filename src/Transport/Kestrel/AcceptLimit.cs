namespace LoopBridge.Kestrel;

/// <summary>How many connections one endpoint has, and how many it may have.</summary>
/// <param name="max">One at least.</param>
/// <param name="rejects">What is done beyond: connections are closed (true) or wait in the kernel's queue.</param>
internal sealed class AcceptLimit(int max, bool rejects)
{
    private int _open;

    internal int Max => max;

    internal bool Rejects => rejects;

    internal bool IsFull => Volatile.Read(ref _open) >= max;

    /// <summary>Told on any thread that there is room again.</summary>
    internal Action? HasRoom { get; set; }

    /// <summary>One connection more. The accepting loop's thread, which has seen that there is room; nobody else fills it.</summary>
    internal void Enter() => Interlocked.Increment(ref _open);

    /// <summary>One less. Any thread.</summary>
    internal void Leave()
    {
        if (Interlocked.Decrement(ref _open) == max - 1)
        {
            HasRoom?.Invoke();
        }
    }
}
