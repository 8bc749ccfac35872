namespace LoopBridge.Reactors;

/// <summary>The delayed calls of one reactor, linked through themselves: joining and leaving costs no memory and no search.</summary>
internal sealed class DelayedCallList
{
    private DelayedCall? _first;
    private DelayedCall? _last;
    private int _count;

    internal void Add(DelayedCall call)
    {
        call.Previous = _last;
        if (_last is null)
        {
            _first = call;
        }
        else
        {
            _last.Next = call;
        }

        _last = call;
        _count++;
    }

    internal void Remove(DelayedCall call)
    {
        if (call.Previous is null)
        {
            _first = call.Next;
        }
        else
        {
            call.Previous.Next = call.Next;
        }

        if (call.Next is null)
        {
            _last = call.Previous;
        }
        else
        {
            call.Next.Previous = call.Previous;
        }

        call.Previous = null;
        call.Next = null;
        _count--;
    }

    internal void DropAll()
    {
        while (_first is { } call)
        {
            call.Drop();
        }
    }

    internal IDelayedCall[] ToArray()
    {
        var calls = new IDelayedCall[_count];
        int index = 0;
        for (DelayedCall? call = _first; call is not null; call = call.Next)
        {
            calls[index++] = call;
        }

        return calls;
    }
}
