namespace LoopBridge.Loops;

/// <summary>Finds what to name when a callback threw. The conveniences queue callbacks of their own, which nobody knows.</summary>
internal static class CallbackSource
{
    /// <summary>What the user passed: <paramref name="callback"/> itself, or the one that it only passes the call on to.</summary>
    internal static object Of(object callback, object? state)
    {
        object called = state is Delegate or IPassesOn ? state : callback;
        object? forwarder = called is Delegate own ? own.Target : called;
        return (forwarder as IPassesOn)?.Source ?? called;
    }
}

/// <summary>Queued, or the target of what is queued, on behalf of something that the user knows.</summary>
internal interface IPassesOn
{
    /// <summary>What to name in its place; null: nobody knows.</summary>
    object? Source { get; }
}
