namespace LoopBridge.Loops;

/// <summary>One queued callback in any of its forms, without an object of its own.</summary>
internal struct LoopWorkItem
{
    private object? _callback;
    private object? _state;
    private ExecutionContext? _context;

    internal LoopWorkItem(object callback, object? state, ExecutionContext? context)
    {
        _callback = callback;
        _state = state;
        _context = context;
    }

    /// <summary>What to name in the log when it throws.</summary>
    internal readonly object Source => CallbackSource.Of(_callback!, _state);

    internal readonly object Callback => _callback!;

    internal readonly object? State => _state;

    internal readonly bool IsUserCode => _callback is not ILoopWork;

    /// <summary>As a slot of a queue: whether there is an item in it.</summary>
    internal readonly bool IsFilled => Volatile.Read(in _callback) is not null;

    /// <summary>As a slot of a queue: takes an item in, for another thread that watches <see cref="IsFilled"/>.</summary>
    internal void Fill(in LoopWorkItem item)
    {
        _state = item._state;
        _context = item._context;
        Volatile.Write(ref _callback, item._callback);
    }

    /// <summary>As a slot of a queue: gives its item out and is empty.</summary>
    internal void MoveTo(out LoopWorkItem item)
    {
        item = this;
        this = default;
    }

    /// <param name="carrier">The loop's own, so that running under an ambient context costs no object.</param>
    internal readonly void Run(Carrier carrier)
    {
        if (_context is null)
        {
            Invoke(_callback!, _state);
        }
        else
        {
            carrier.Run(_context, _callback!, _state);
        }
    }

    /// <summary>The loop is closed and will not run it: whoever waits for it has to know.</summary>
    internal readonly void Drop() => (_state as IDropped)?.OnDropped();

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

    /// <summary>Brings a callback and its state into its ambient context, which takes one object.</summary>
    internal sealed class Carrier
    {
        private object? _callback;
        private object? _state;

        internal void Run(ExecutionContext context, object callback, object? state)
        {
            _callback = callback;
            _state = state;
            ExecutionContext.Run(context, static carrier => ((Carrier)carrier!).Invoke(), this);
        }

        // Emptied first: the callback may be long, or run the loop in a nested way, and must not be kept alive by it.
        private void Invoke()
        {
            object callback = _callback!;
            object? state = _state;
            _callback = null;
            _state = null;
            LoopWorkItem.Invoke(callback, state);
        }
    }
}

/// <summary>A callback's state that somebody waits for.</summary>
internal interface IDropped
{
    void OnDropped();
}
