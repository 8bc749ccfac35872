using System.Diagnostics;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// Lets so many pieces of asynchronous code of a loop at a time through, first come first served. Descends from Tornado's
/// <c>locks.Semaphore</c>.
/// </summary>
/// <remarks><inheritdoc cref="LoopLock" path="/remarks/node()" /></remarks>
[DebuggerDisplay("{ToString(),nq}")]
public class LoopSemaphore
{
    private readonly PermitPool _permits;

    /// <summary>Makes a semaphore.</summary>
    /// <param name="loop">The loop it belongs to.</param>
    /// <param name="initialCount">Permits to begin with. Defaults to one; zero means that somebody has to release first.</param>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative.</exception>
    public LoopSemaphore(IEventLoop loop, int initialCount = 1) : this(loop, initialCount, int.MaxValue)
    {
    }

    private protected LoopSemaphore(IEventLoop loop, int initialCount, int maximumCount)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentOutOfRangeException.ThrowIfNegative(initialCount);
        _permits = new PermitPool(loop, nameof(LoopSemaphore), "a permit of a semaphore", initialCount, maximumCount);
    }

    /// <summary>Permits that nobody holds.</summary>
    public int CurrentCount => _permits.Free;

    /// <summary>How many wait for one.</summary>
    public int Waiting => _permits.Waiting;

    /// <summary>Waits for a permit and takes it. One that is free is taken at once, and nothing is allocated.</summary>
    /// <param name="timeout">
    /// How long to wait at most, by the loop's clock. Null, the default, and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; any
    /// other negative span is over already.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <returns>What to dispose of to release it; or leave it alone, and call <see cref="Release"/>. Not both.</returns>
    /// <exception cref="TimeoutException">The time was over first: nothing was taken.</exception>
    /// <exception cref="OperationCanceledException">The token fired first: nothing was taken.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public ValueTask<LoopPermit> AcquireAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        => _permits.AcquireAsync(timeout, cancellationToken);

    /// <summary>Takes a permit if one is free.</summary>
    /// <param name="permit">What to dispose of to release it.</param>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public bool TryAcquire(out LoopPermit permit) => _permits.TryAcquire(out permit);

    /// <summary>
    /// Gives a permit: to the longest waiting one, or to the next who asks. It need not have been acquired, so that the count may grow
    /// beyond what it was in the beginning; <see cref="BoundedLoopSemaphore"/> refuses that.
    /// </summary>
    /// <exception cref="InvalidOperationException">That would be one too many, or this is not the loop's thread.</exception>
    public void Release() => _permits.Release();

    /// <summary>Its state, for people; the form may change.</summary>
    public override string ToString() => $"{GetType().Name}: {CurrentCount} free, {Waiting} waiting";
}
