namespace LoopBridge.Kestrel;

/// <summary>
/// Connections that came at about the same time, until the application has begun to use them. Any thread, but for what says otherwise.
/// </summary>
internal sealed class Newcomers(TimeSpan since)
{
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count = 1; // one until the listener lets go

    /// <summary>When the first of them came. The accepting loop's thread.</summary>
    internal TimeSpan Since { get; } = since;

    /// <summary>When the last of them came. The accepting loop's thread.</summary>
    internal TimeSpan Last { get; private set; } = since;

    /// <summary>Ends when the listener has let go and each of them is in use, or closed.</summary>
    internal Task Begun => _begun.Task;

    /// <summary>One more. The accepting loop's thread.</summary>
    internal void Enter(TimeSpan now)
    {
        Last = now;
        Interlocked.Increment(ref _count);
    }

    internal void Leave()
    {
        if (Interlocked.Decrement(ref _count) == 0)
        {
            _begun.SetResult();
        }
    }
}
