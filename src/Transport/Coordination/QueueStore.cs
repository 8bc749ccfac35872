namespace LoopBridge.Coordination;

/// <summary>Where the items of a queue lie, and which of them comes next.</summary>
internal abstract class QueueStore<T>
{
    internal abstract int Count { get; }

    internal abstract void Add(T item);

    /// <summary>Not called when there is none.</summary>
    internal abstract T Take();
}

/// <summary>First in, first out.</summary>
internal sealed class FifoStore<T> : QueueStore<T>
{
    private readonly Queue<T> _items = [];

    internal override int Count => _items.Count;

    internal override void Add(T item) => _items.Enqueue(item);

    internal override T Take() => _items.Dequeue();
}

/// <summary>Last in, first out.</summary>
internal sealed class LifoStore<T> : QueueStore<T>
{
    private readonly Stack<T> _items = [];

    internal override int Count => _items.Count;

    internal override void Add(T item) => _items.Push(item);

    internal override T Take() => _items.Pop();
}

/// <summary>The smallest first; of equals the one that came first, so that nobody waits for ever behind later ones.</summary>
internal sealed class PriorityStore<T>(IComparer<T> comparer) : QueueStore<T>
{
    private readonly PriorityQueue<T, (T Item, long Arrival)> _items = new(Comparer<(T Item, long Arrival)>.Create((a, b) =>
    {
        int order = comparer.Compare(a.Item, b.Item);
        return order != 0 ? order : a.Arrival.CompareTo(b.Arrival);
    }));

    private long _arrivals;

    internal override int Count => _items.Count;

    internal override void Add(T item)
    {
        // A comparer that does not know such items has to say so here: thrown in the middle of the heap's work, it would leave it broken.
        comparer.Compare(item, Count > 0 ? _items.Peek() : item);
        _items.Enqueue(item, (item, _arrivals++));
    }

    internal override T Take() => _items.Dequeue();
}
