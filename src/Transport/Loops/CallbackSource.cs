namespace LoopBridge.Loops;

/// <summary>Finds what to name when a callback threw. The conveniences queue callbacks of their own, which nobody knows.</summary>
internal static class CallbackSource
{
    /// <summary>What the user passed: <paramref name="callback"/> itself, or the one that it only passes the call on to.</summary>
    internal static object Of(object callback, object? state)
    {
        object called = state as Delegate ?? callback;
        return (called as Delegate)?.Target is IPassesOn forward ? forward.Callback : called;
    }
}

/// <summary>The target of a delegate that calls a user's one.</summary>
internal interface IPassesOn
{
    Delegate Callback { get; }
}
