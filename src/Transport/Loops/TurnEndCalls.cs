namespace LoopBridge.Loops;

/// <summary>
/// What waits for the end of a turn, in the order given. A pass takes what was given before it began; what is given meanwhile waits for the
/// next, like everything else in a turn.
/// </summary>
/// <remarks>The place in a pass stands here and moves before the call, so that another thread can go on in mid-pass.</remarks>
internal sealed class TurnEndCalls
{
    private LoopWorkItem[] _waiting = new LoopWorkItem[16];
    private LoopWorkItem[] _pass = new LoopWorkItem[16];
    private int _waitingCount;
    private int _passCount;
    private int _cursor;

    /// <summary>Whether nothing waits for the next pass.</summary>
    internal bool IsEmpty => _waitingCount == 0;

    internal void Add(in LoopWorkItem item)
    {
        if (_waitingCount == _waiting.Length)
        {
            Array.Resize(ref _waiting, _waitingCount * 2);
        }

        _waiting[_waitingCount++] = item;
    }

    /// <summary>Begins a pass, unless one is under way.</summary>
    internal void BeginPass()
    {
        if (_cursor == _passCount)
        {
            (_waiting, _pass) = (_pass, _waiting);
            _passCount = _waitingCount;
            _waitingCount = 0;
            _cursor = 0;
        }
    }

    /// <summary>The next one of the pass; false at its end.</summary>
    internal bool TryTake(out LoopWorkItem item)
    {
        if (_cursor == _passCount)
        {
            item = default;
            return false;
        }

        _pass[_cursor++].MoveTo(out item);
        return true;
    }

    /// <summary>Nobody will run them any more.</summary>
    internal void Drop()
    {
        Array.Clear(_waiting);
        Array.Clear(_pass);
        _waitingCount = _passCount = _cursor = 0;
    }
}
