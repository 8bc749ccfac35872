using LoopBridge.Loops;

namespace LoopBridge.Coordination;

public partial class LoopQueue<T>
{
    /// <summary>Puts an item, after waiting for room. Where there is some, goes on at once, and nothing is allocated.</summary>
    /// <param name="item">The item. If the wait fails, it never enters the queue.</param>
    /// <param name="timeout">
    /// How long to wait at most, by the loop's clock. Null, the default, and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; any
    /// other negative span is over already.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <exception cref="TimeoutException">The time was over first.</exception>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public ValueTask PutAsync(T item, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        VerifyAccess();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return TryPut(item) ? ValueTask.CompletedTask : _putters.Join(new Putter(Loop, item), timeout, cancellationToken).End;
    }

    /// <summary>Puts an item if there is room.</summary>
    /// <param name="item">The item.</param>
    /// <returns>False if the queue is full.</returns>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public bool TryPut(T item)
    {
        VerifyAccess();
        if (_getters.TakeFirst() is { } getter)
        {
            Admit(item);
            getter.Succeed(_store.Take());
            return true;
        }

        if (IsFull)
        {
            return false;
        }

        Admit(item);
        return true;
    }

    /// <summary>Puts an item where there must be room.</summary>
    /// <param name="item">The item.</param>
    /// <exception cref="QueueFullException">The queue is full.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public void PutNow(T item)
    {
        if (!TryPut(item))
        {
            throw new QueueFullException();
        }
    }

    private void Admit(T item)
    {
        _store.Add(item);
        UnfinishedTasks++;
    }

    /// <summary>A put that waits, with what it brings.</summary>
    private sealed class Putter(IEventLoop loop, T item) : LoopWaiter<bool>(loop)
    {
        internal T Item => item;
    }
}
