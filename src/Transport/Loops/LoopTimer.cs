namespace LoopBridge.Loops;

/// <summary>One entry of a <see cref="TimerQueue"/>: its handle, its heap node and its callback in one object.</summary>
internal class LoopTimer : LoopTimeout
{
    internal const int NotQueued = -1;

    private Action<object?>? _callback;
    private object? _state;
    private ExecutionContext? _context;

    internal LoopTimer(Action<object?> callback, object? state, ExecutionContext? context)
    {
        _callback = callback;
        _state = state;
        _context = context;
    }

    public override TimeSpan Deadline => new(DeadlineTicks);

    public override bool IsPending => _callback is not null;

    /// <summary>What to name in the log when it throws.</summary>
    internal object? Source => _callback is null ? null : CallbackSource.Of(_callback, _state);

    /// <summary>For the watchdog, before it fires.</summary>
    internal (object? Callback, object? State) Called => (_callback, _state);

    internal long DeadlineTicks { get; set; }

    internal long Sequence { get; set; }

    /// <summary>Its place in the heap, so that removing it needs no search.</summary>
    internal int Index { get; set; } = NotQueued;

    /// <summary>Releases what the callback holds at once, whoever keeps the handle.</summary>
    internal void Clear()
    {
        _callback = null;
        _state = null;
        _context = null;
    }

    internal void Fire()
    {
        if (_callback is null)
        {
            return; // removed by an earlier one of the same turn
        }

        if (_context is null)
        {
            Invoke();
        }
        else
        {
            ExecutionContext.Run(_context, static timer => ((LoopTimer)timer!).Invoke(), this);
        }
    }

    private void Invoke()
    {
        Action<object?> callback = _callback!;
        object? state = _state;
        Clear();
        callback(state);
    }
}
