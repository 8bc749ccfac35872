using System.Diagnostics.CodeAnalysis;

namespace LoopBridge.Coordination;

public partial class LoopQueue<T>
{
    /// <summary>Takes the next item, after waiting for one. Where there is one, goes on at once, and nothing is allocated.</summary>
    /// <param name="timeout">
    /// How long to wait at most, by the loop's clock. Null, the default, and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; any
    /// other negative span is over already.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <exception cref="TimeoutException">The time was over first: nothing was taken.</exception>
    /// <exception cref="OperationCanceledException">The token fired first: nothing was taken.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public ValueTask<T> GetAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        VerifyAccess();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(cancellationToken);
        }

        return TryGet(out T? item) ? new ValueTask<T>(item) : _getters.Join(timeout, cancellationToken).Outcome;
    }

    /// <summary>Takes the next item if there is one.</summary>
    /// <param name="item">The item.</param>
    /// <returns>False if the queue is empty.</returns>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public bool TryGet([MaybeNullWhen(false)] out T item)
    {
        VerifyAccess();
        if (IsEmpty)
        {
            item = default;
            return false;
        }

        // The longest waiting put comes in first: what is next may be what it brings (last in, first out, or a smaller one).
        if (_putters.TakeFirst() is Putter putter)
        {
            try
            {
                Admit(putter.Item);
                putter.Succeed(true);
            }
            catch (Exception e)
            {
                putter.Fail(e); // the comparer cannot order its item: a mistake of who put it, and not of this caller
            }
        }

        item = _store.Take();
        return true;
    }

    /// <summary>Takes the next item where there must be one.</summary>
    /// <exception cref="QueueEmptyException">The queue is empty.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public T GetNow() => TryGet(out T? item) ? item : throw new QueueEmptyException();

    /// <summary>Takes items for ever, waiting for each, until the token fires or the caller breaks off.</summary>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            yield return await GetAsync(timeout: null, cancellationToken);
        }
    }
}
