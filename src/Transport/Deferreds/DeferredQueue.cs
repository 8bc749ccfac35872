using System.Diagnostics.CodeAnalysis;

namespace LoopBridge.Deferreds;

/// <summary>
/// Items that wait for takers, or takers that wait for items. For reactor code; loop code finds <see cref="LoopBridge.Coordination"/>
/// more to its liking. Twisted: <c>DeferredQueue</c>.
/// </summary>
/// <remarks>
/// Both are served first come first served; a taker goes on inside <see cref="Put"/>. Nobody waits for room: a full queue refuses. Belongs
/// to one loop's thread.
/// </remarks>
/// <typeparam name="T">The type of the items.</typeparam>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "It is a queue.")]
public sealed class DeferredQueue<T>
{
    private readonly Queue<T> _items = new();
    private readonly LinkedList<Deferred<T>> _takers = new();
    private readonly int? _size;
    private readonly int? _backlog;

    /// <summary>Makes an empty queue.</summary>
    /// <param name="size">How many items may wait; zero takes only what somebody waits for. Defaults to null: any number.</param>
    /// <param name="backlog">How many takers may wait; zero gives only what is there. Defaults to null: any number.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them is negative.</exception>
    public DeferredQueue(int? size = null, int? backlog = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size ?? 0, nameof(size));
        ArgumentOutOfRangeException.ThrowIfNegative(backlog ?? 0, nameof(backlog));
        _size = size;
        _backlog = backlog;
    }

    /// <summary>How many items wait.</summary>
    public int Count => _items.Count;

    /// <summary>How many takers wait.</summary>
    public int Waiting => _takers.Count;

    /// <summary>Gives an item to the taker who has waited longest, or keeps it for the next one.</summary>
    /// <param name="item">The item.</param>
    /// <exception cref="DeferredQueueOverflowException">As many items wait as may. This one is not taken.</exception>
    public void Put(T item)
    {
        while (_takers.First is { } taker)
        {
            _takers.Remove(taker);

            // One that its owner fired by hand waits no more.
            if (taker.Value.IsFired)
                continue;

            taker.Value.Callback(item);
            return;
        }

        if (_items.Count >= _size)
            throw new DeferredQueueOverflowException(_size.Value);

        _items.Enqueue(item);
    }

    /// <summary>Takes the oldest item, or waits for one.</summary>
    /// <returns>Fires with the item; at once if there is one. Cancelling leaves the line.</returns>
    /// <exception cref="DeferredQueueUnderflowException">There is no item, and as many takers wait as may.</exception>
    public Deferred<T> Get()
    {
        if (_items.TryDequeue(out T? item))
            return Deferred.Succeed(item);
        if (_takers.Count >= _backlog)
            throw new DeferredQueueUnderflowException(_backlog.Value);

        LinkedListNode<Deferred<T>> place = null!;
        var taker = new Deferred<T>(_ => _takers.Remove(place));
        place = _takers.AddLast(taker);
        return taker;
    }
}
