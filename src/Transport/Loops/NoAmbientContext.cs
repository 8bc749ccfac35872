namespace LoopBridge.Loops;

/// <summary>Runs code as if nobody had called it: no <see cref="AsyncLocal{T}"/> has a value, and what it sets ends with it.</summary>
internal static class NoAmbientContext
{
    /// <summary>The context of nobody.</summary>
    internal static ExecutionContext Value { get; } = Capture();

    internal static void Run(ContextCallback callback, object? state) => ExecutionContext.Run(Value, callback, state);

    // There is no other way to an empty one than a thread that nothing flowed to: the loop's may have been started anywhere.
    private static ExecutionContext Capture()
    {
        ExecutionContext? captured = null;
        var thread = new Thread(() => captured = ExecutionContext.Capture()) { IsBackground = true, Name = "LoopBridge context" };
        thread.UnsafeStart();
        thread.Join();
        return captured!;
    }
}

/// <summary>No ambient context is captured until the end of the scope; one inside another is harmless.</summary>
internal readonly ref struct FlowSuppression
{
    private readonly AsyncFlowControl _control;
    private readonly bool _isMine;

    private FlowSuppression(AsyncFlowControl control)
    {
        _control = control;
        _isMine = true;
    }

    internal static FlowSuppression Begin() => ExecutionContext.IsFlowSuppressed() ? default : new(ExecutionContext.SuppressFlow());

    public void Dispose()
    {
        if (_isMine)
        {
            _control.Undo();
        }
    }
}
