using System.Diagnostics;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// Lets one piece of asynchronous code of a loop at a time through, first come first served. Descends from Tornado's <c>locks.Lock</c>.
/// </summary>
/// <remarks>
/// Everything belongs to the loop's thread; a call from elsewhere throws <see cref="InvalidOperationException"/>. Whoever waited goes on
/// through the loop, in a later turn, and never inside <see cref="Release"/>. It is not reentrant. When the loop is closed, whoever still
/// waits never goes on. Synchronous code cannot wait for it: nothing here blocks.
/// </remarks>
/// <param name="loop">The loop it belongs to.</param>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class LoopLock(IEventLoop loop)
{
    private readonly PermitPool _permits
        = new(loop ?? throw new ArgumentNullException(nameof(loop)), nameof(LoopLock), "a lock", free: 1, maximum: 1);

    /// <summary>Whether somebody holds it.</summary>
    public bool IsHeld => _permits.Free == 0;

    /// <summary>How many wait for it.</summary>
    public int Waiting => _permits.Waiting;

    /// <summary>Waits for the lock and takes it. A free one is taken at once, and nothing is allocated.</summary>
    /// <param name="timeout">
    /// How long to wait at most, by the loop's clock. Null, the default, and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; any
    /// other negative span is over already.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <returns>What to dispose of to release it.</returns>
    /// <exception cref="TimeoutException">The time was over first: nothing was taken.</exception>
    /// <exception cref="OperationCanceledException">The token fired first: nothing was taken.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public ValueTask<LoopPermit> AcquireAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        => _permits.AcquireAsync(timeout, cancellationToken);

    /// <summary>Takes the lock if it is free.</summary>
    /// <param name="permit">What to dispose of to release it.</param>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public bool TryAcquire(out LoopPermit permit) => _permits.TryAcquire(out permit);

    /// <summary>Releases the lock for its holder, whose permit is spent then. The longest waiting one holds it from here on.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds it, or this is not the loop's thread.</exception>
    public void Release()
    {
        _permits.VerifyAccess();
        if (!IsHeld)
        {
            throw new InvalidOperationException("The lock is not held: it was released already, or never acquired.");
        }

        _permits.Last.Dispose();
    }

    /// <summary>Its state, for people; the form may change.</summary>
    public override string ToString() => $"{nameof(LoopLock)}: {(IsHeld ? "held" : "free")}, {Waiting} waiting";
}
