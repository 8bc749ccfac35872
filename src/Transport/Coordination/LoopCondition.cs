using System.Diagnostics;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// Lets asynchronous code of a loop wait until other code says that something has changed. Descends from Tornado's
/// <c>locks.Condition</c>; unlike that of threads it needs no lock, because nothing runs between two awaits.
/// </summary>
/// <remarks>
/// Everything belongs to the loop's thread; a call from elsewhere throws <see cref="InvalidOperationException"/>. Whoever waited goes on
/// through the loop, in a later turn, and never inside a notification. When the loop is closed, whoever still waits never goes on.
/// </remarks>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class LoopCondition
{
    private readonly IEventLoop _loop;
    private readonly WaitLine<bool> _line;

    /// <summary>Makes a condition.</summary>
    /// <param name="loop">The loop it belongs to.</param>
    public LoopCondition(IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        _loop = loop;
        _line = new WaitLine<bool>(loop, "a condition");
    }

    /// <summary>How many wait.</summary>
    public int Waiting => _line.Count;

    /// <summary>Waits for a notification.</summary>
    /// <param name="timeout">
    /// How long to wait at most, by the loop's clock. Null, the default, and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; any
    /// other negative span is over already.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <returns>True after a notification; false if the time was over first.</returns>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public ValueTask<bool> WaitAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        LoopAffinity.Verify(_loop, nameof(LoopCondition));
        return cancellationToken.IsCancellationRequested
            ? ValueTask.FromCanceled<bool>(cancellationToken)
            : _line.Join(new Waiter(_loop), timeout, cancellationToken).Outcome;
    }

    /// <summary>Lets the longest waiting ones go on.</summary>
    /// <param name="count">How many at most. Defaults to one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public void Notify(int count = 1)
    {
        LoopAffinity.Verify(_loop, nameof(LoopCondition));
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        while (count-- > 0 && _line.TakeFirst() is { } waiter)
        {
            waiter.Succeed(true);
        }
    }

    /// <summary>Lets everybody go on who waits now.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public void NotifyAll() => Notify(_line.Count);

    /// <summary>Its state, for people; the form may change.</summary>
    public override string ToString() => $"{nameof(LoopCondition)}: {Waiting} waiting";

    // A condition that nobody notified is an answer, and no error (L-LOCK-02).
    private sealed class Waiter(IEventLoop loop) : LoopWaiter<bool>(loop)
    {
        protected override void OnTimeout() => Succeed(false);
    }
}
