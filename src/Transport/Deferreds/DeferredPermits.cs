namespace LoopBridge.Deferreds;

/// <summary>A number of permits and the line of those who wait for one, first come first served (R-DEF-26).</summary>
internal sealed class DeferredPermits(int count)
{
    private readonly LinkedList<Deferred<DeferredPermit>> _line = new();
    private bool _isServing;

    /// <summary>How many nobody holds.</summary>
    public int Free { get; private set; } = count;

    public int Waiting => _line.Count;

    public Deferred<DeferredPermit> Acquire()
    {
        if (Free > 0 && _line.Count == 0)
        {
            Free--;
            return Deferred.Succeed(new DeferredPermit(this));
        }

        LinkedListNode<Deferred<DeferredPermit>> place = null!;
        var waiter = new Deferred<DeferredPermit>(_ => _line.Remove(place));
        place = _line.AddLast(waiter);
        return waiter;
    }

    public Deferred<T> Run<T>(Func<Deferred<T>> function)
        => Acquire().Then(permit => Deferred.Maybe(function).AddBoth((DeferredResult<T> _) => permit.Dispose()));

    public void Release()
    {
        Free++;

        // A waiter may give its permit back while it is served. Then the call below on the stack serves the next one, so that a long line
        // of such waiters needs no deep stack.
        if (_isServing)
            return;

        _isServing = true;
        try
        {
            while (Free > 0 && _line.First is { } place)
            {
                _line.Remove(place);

                // One that its owner fired by hand waits no more.
                if (place.Value.IsFired)
                    continue;

                Free--;
                place.Value.Callback(new DeferredPermit(this));
            }
        }
        finally
        {
            _isServing = false;
        }
    }
}
