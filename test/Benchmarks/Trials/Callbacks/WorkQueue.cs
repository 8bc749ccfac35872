using LoopBridge.Loops;

namespace LoopBridge.Benchmarks.Trials.Callbacks;

/// <summary>Where a burst goes. One call for a whole share of it, so that the abstraction costs nothing per item.</summary>
internal abstract class WorkQueue
{
    /// <summary>Posts <paramref name="count"/> items in order; the last of them says so to <paramref name="burst"/>.</summary>
    public abstract void Post(Burst burst, int count);
}

internal sealed class PoolQueue : WorkQueue
{
    private static readonly WaitCallback Item = Burst.RunItem;
    private static readonly WaitCallback Last = Burst.RunLast;

    public override void Post(Burst burst, int count)
    {
        for (int i = 1; i < count; i++)
            ThreadPool.UnsafeQueueUserWorkItem(Item, burst);
        ThreadPool.UnsafeQueueUserWorkItem(Last, burst);
    }
}

internal sealed class LoopQueue(IEventLoop loop) : WorkQueue
{
    private static readonly Action<object?> Item = Burst.RunItem;
    private static readonly Action<object?> Last = Burst.RunLast;

    public override void Post(Burst burst, int count)
    {
        for (int i = 1; i < count; i++)
            loop.AddCallback(Item, burst);
        loop.AddCallback(Last, burst);
    }
}
