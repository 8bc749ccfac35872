using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// Those who wait for the same thing, in the order they came. Whoever gives up leaves at once, from wherever they stand: Tornado sweeps
/// its lists after a hundred time-outs, this one has nothing to sweep.
/// </summary>
/// <param name="loop">Where they wait.</param>
/// <param name="subject">What for, in the message of a time-out.</param>
internal sealed class WaitLine<T>(IEventLoop loop, string subject)
{
    private LoopWaiter<T>? _first;
    private LoopWaiter<T>? _last;

    internal int Count { get; private set; }

    internal string Subject => subject;

    /// <summary>A new waiter at the end.</summary>
    internal LoopWaiter<T> Join(TimeSpan? timeout, CancellationToken cancellationToken)
        => Join(new LoopWaiter<T>(loop), timeout, cancellationToken);

    internal LoopWaiter<T> Join(LoopWaiter<T> waiter, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        waiter.Limit(timeout, cancellationToken); // first: it throws on a closed loop, and then nobody stands here
        waiter.Line = this;
        waiter.Previous = _last;
        if (_last is null)
        {
            _first = waiter;
        }
        else
        {
            _last.Next = waiter;
        }

        _last = waiter;
        Count++;
        return waiter;
    }

    /// <summary>The longest waiting one that still wants what it waits for; to be decided by the caller. Null if there is none.</summary>
    internal LoopWaiter<T>? TakeFirst()
    {
        while (_first is { } first)
        {
            if (!first.CancelIfRequested())
            {
                Remove(first);
                return first;
            }
        }

        return null;
    }

    internal void Remove(LoopWaiter<T> waiter)
    {
        if (waiter.Previous is { } previous)
        {
            previous.Next = waiter.Next;
        }
        else
        {
            _first = waiter.Next;
        }

        if (waiter.Next is { } next)
        {
            next.Previous = waiter.Previous;
        }
        else
        {
            _last = waiter.Previous;
        }

        waiter.Line = null;
        waiter.Previous = null;
        waiter.Next = null;
        Count--;
    }
}
