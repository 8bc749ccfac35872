using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// A semaphore that never has more permits than in the beginning: one release too many is a mistake that it tells. Descends from Tornado's
/// <c>locks.BoundedSemaphore</c>.
/// </summary>
/// <remarks><inheritdoc cref="LoopLock" path="/remarks/node()" /></remarks>
/// <param name="loop">The loop it belongs to.</param>
/// <param name="initialCount">Permits in the beginning, and at most. Defaults to one.</param>
public sealed class BoundedLoopSemaphore(IEventLoop loop, int initialCount = 1) : LoopSemaphore(loop, initialCount, initialCount)
{
    /// <summary>The most permits it can have.</summary>
    public int MaximumCount { get; } = initialCount;
}
