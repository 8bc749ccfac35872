namespace LoopBridge.Loops;

/// <summary>One queued callback in any of its forms, without an object of its own.</summary>
internal readonly struct LoopWorkItem
{
    private readonly object _callback;
    private readonly object? _state;
    private readonly ExecutionContext? _context;

    internal LoopWorkItem(object callback, object? state, ExecutionContext? context)
    {
        _callback = callback;
        _state = state;
        _context = context;
    }

    /// <summary>What to name in the log when it throws.</summary>
    internal object Source => CallbackSource.Of(_callback, _state);

    internal bool IsUserCode => _callback is not ILoopWork;

    internal void Run()
    {
        if (_context is null)
        {
            Invoke(_callback, _state);
        }
        else
        {
            ExecutionContext.Run(_context, static pair =>
            {
                (object callback, object? state) = ((object, object?))pair!;
                Invoke(callback, state);
            }, (_callback, _state));
        }
    }

    /// <summary>The loop is closed and will not run it: whoever waits for it has to know.</summary>
    internal void Drop() => (_state as IDropped)?.OnDropped();

    private static void Invoke(object callback, object? state)
    {
        switch (callback)
        {
            case ILoopWork work:
                work.Run();
                break;
            case Action action:
                action();
                break;
            case Action<object?> action:
                action(state);
                break;
            default:
                ((SendOrPostCallback)callback)(state);
                break;
        }
    }
}

/// <summary>A callback's state that somebody waits for.</summary>
internal interface IDropped
{
    void OnDropped();
}
