using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

public sealed class DeferredQueueTests
{
    [Fact, Contract("R-DEF-26")]
    public void Get_OfItemsThatWait_GivesTheOldest()
    {
        var queue = new DeferredQueue<int>();
        queue.Put(1);
        queue.Put(2);
        Assert.Equal(2, queue.Count);

        Assert.Equal((1, 2), (queue.Get().ValueNow(), queue.Get().ValueNow()));
    }

    [Fact, Contract("R-DEF-26")]
    public void Put_WithTakersWaiting_ServesTheOldest()
    {
        var queue = new DeferredQueue<int>();
        Deferred<int> first = queue.Get();
        Deferred<int> second = queue.Get();
        Assert.Equal(2, queue.Waiting);

        queue.Put(1);
        Assert.False(second.IsFired);
        queue.Put(2);

        Assert.Equal((1, 2), (first.ValueNow(), second.ValueNow()));
    }

    [Fact, Contract("R-DEF-26")]
    public void Put_BeyondTheSize_Throws()
    {
        var queue = new DeferredQueue<int>(size: 1);
        queue.Put(1);
        Assert.Throws<DeferredQueueOverflowException>(() => queue.Put(2));
        Assert.Equal(1, queue.Get().ValueNow());

        var handOver = new DeferredQueue<int>(size: 0);
        Assert.Throws<DeferredQueueOverflowException>(() => handOver.Put(1));
        Deferred<int> taker = handOver.Get();
        handOver.Put(2);
        Assert.Equal(2, taker.ValueNow());
    }

    [Fact, Contract("R-DEF-26")]
    public void Get_BeyondTheBacklog_Throws()
    {
        var queue = new DeferredQueue<int>(backlog: 1);
        Deferred<int> taker = queue.Get();
        Assert.Throws<DeferredQueueUnderflowException>(() => { queue.Get(); });
        queue.Put(1);
        Assert.Equal(1, taker.ValueNow());

        var ready = new DeferredQueue<int>(backlog: 0);
        Assert.Throws<DeferredQueueUnderflowException>(() => { ready.Get(); });
        ready.Put(2);
        Assert.Equal(2, ready.Get().ValueNow());
    }

    [Fact, Contract("R-DEF-26")]
    public void Get_Cancelled_LeavesTheLine()
    {
        var queue = new DeferredQueue<int>(backlog: 1);
        Deferred<int> cancelled = queue.Get();
        cancelled.Cancel();
        Assert.IsType<DeferredCancelledException>(cancelled.ErrorNow());

        Deferred<int> next = queue.Get();
        queue.Put(1);
        Assert.Equal(1, next.ValueNow());
    }

    [Fact, Contract("R-DEF-26")]
    public void Get_CancelledAfterItWasServed_KeepsTheItem()
    {
        var queue = new DeferredQueue<int>();
        queue.Put(1);
        Deferred<int> served = queue.Get();
        served.Cancel();
        Assert.Equal(1, served.ValueNow());
    }

    [Fact]
    public void Limits_BelowZero_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = new DeferredQueue<int>(size: -1); });
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = new DeferredQueue<int>(backlog: -1); });
    }
}
