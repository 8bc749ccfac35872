using LoopBridge.Deferreds;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Deferreds;

/// <summary>Lock and semaphore.</summary>
public sealed class DeferredPermitTests
{
    [Fact, Contract("R-DEF-26")]
    public void Lock_ServesFirstComeFirstServed()
    {
        var gate = new DeferredLock();
        var order = new List<int>();
        DeferredPermit holder = gate.Acquire().ValueNow();
        Deferred<DeferredPermit>[] waiting = [gate.Acquire(), gate.Acquire()];
        waiting[0].AddCallback(_ => order.Add(0));
        waiting[1].AddCallback(_ => order.Add(1));
        Assert.Equal((true, 2), (gate.IsLocked, gate.Waiting));

        holder.Dispose();
        Assert.Equal([0], order);
        holder.Dispose();
        Assert.Equal([0], order);
        waiting[0].ValueNow().Dispose();
        Assert.Equal([0, 1], order);
        waiting[1].ValueNow().Dispose();

        Assert.Equal((false, 0), (gate.IsLocked, gate.Waiting));
    }

    [Fact, Contract("R-DEF-26")]
    public void Lock_WaiterCancelledBeforeItsTurn_LeavesTheLine()
    {
        var gate = new DeferredLock();
        DeferredPermit holder = gate.Acquire().ValueNow();
        Deferred<DeferredPermit> cancelled = gate.Acquire();
        Deferred<DeferredPermit> next = gate.Acquire();

        cancelled.Cancel();
        Assert.IsType<DeferredCancelledException>(cancelled.ErrorNow());
        Assert.Equal(1, gate.Waiting);
        holder.Dispose();

        next.ValueNow().Dispose();
        Assert.False(gate.IsLocked);
    }

    [Fact, Contract("R-DEF-26")]
    public void Lock_CancelAfterItWasGiven_ChangesNothing()
    {
        var gate = new DeferredLock();
        Deferred<DeferredPermit> held = gate.Acquire();

        held.Cancel();

        Assert.True(gate.IsLocked);
        held.ValueNow().Dispose();
        Assert.False(gate.IsLocked);
    }

    [Fact, Contract("R-DEF-26")]
    public void Lock_Run_HoldsItUntilTheResult()
    {
        var gate = new DeferredLock();
        var work = new Deferred<int>();
        Deferred<int> first = gate.Run(() => work);
        Deferred<int> second = gate.Run(() => 2);
        Assert.False(second.IsFired);

        work.Callback(1);

        Assert.Equal((1, 2), (first.ValueNow(), second.ValueNow()));
        Assert.False(gate.IsLocked);
    }

    [Fact, Contract("R-DEF-26"), Contract("R-DEF-31")]
    public void Lock_WhenTheBodyThrows_IsGivenBack()
    {
        var gate = new DeferredLock();
        Assert.IsType<FormatException>(gate.Run(int () => throw new FormatException()).ErrorNow());
        Assert.IsType<FormatException>(gate.Run(Deferred<int> () => throw new FormatException()).ErrorNow());
        Assert.IsType<FormatException>(gate.Run(() => Deferred.Fail<int>(new FormatException())).ErrorNow());
        Assert.False(gate.IsLocked);

        var inside = new Deferred<int>();
        Deferred<int> routine = Routine();
        Assert.True(gate.IsLocked);
        inside.Errback(new FormatException());

        Assert.IsType<FormatException>(routine.ErrorNow());
        Assert.False(gate.IsLocked);

        async Deferred<int> Routine()
        {
            using (await gate.Acquire())
                return await inside;
        }
    }

    [Fact, Contract("R-DEF-31")]
    public void Semaphore_WhenTheBodyThrows_IsGivenBackAndTheContextStays()
    {
        var ambient = new AsyncLocal<string>();
        var tokens = new DeferredSemaphore(1);
        DeferredPermit holder = tokens.Acquire().ValueNow();
        Deferred<string?> routine = Routine();
        ambient.Value = "the firing's";

        holder.Dispose();

        Assert.IsType<FormatException>(routine.ErrorNow());
        Assert.Equal(1, tokens.Free);
        Assert.Equal("the firing's", ambient.Value);

        async Deferred<string?> Routine()
        {
            ambient.Value = "the routine's";
            using (await tokens.Acquire())
            {
                Assert.Equal("the routine's", ambient.Value);
                throw new FormatException();
            }
        }
    }

    [Fact, Contract("R-DEF-26")]
    public void Lock_RunCancelled_LeavesTheLineOrCancelsTheWork()
    {
        var gate = new DeferredLock();
        bool cancelled = false;
        Deferred<int> working = gate.Run(() => new Deferred<int>(_ => cancelled = true));
        Deferred<int> waiting = gate.Run(int () => throw new InvalidOperationException("Its turn never comes."));

        waiting.Cancel();
        Assert.IsType<DeferredCancelledException>(waiting.ErrorNow());
        working.Cancel();
        Assert.IsType<DeferredCancelledException>(working.ErrorNow());

        Assert.True(cancelled);
        Assert.False(gate.IsLocked);
    }

    [Fact, Contract("R-DEF-26")]
    public void Semaphore_GivesAsManyAsItHas()
    {
        var tokens = new DeferredSemaphore(2);
        DeferredPermit first = tokens.Acquire().ValueNow();
        DeferredPermit second = tokens.Acquire().ValueNow();
        Deferred<DeferredPermit> third = tokens.Acquire();
        Deferred<DeferredPermit> fourth = tokens.Acquire();
        Assert.Equal((2, 0, 2), (tokens.Limit, tokens.Free, tokens.Waiting));

        third.Cancel();
        Assert.IsType<DeferredCancelledException>(third.ErrorNow());
        second.Dispose();
        fourth.ValueNow().Dispose();
        first.Dispose();

        Assert.Equal((2, 0), (tokens.Free, tokens.Waiting));
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = new DeferredSemaphore(0); });
    }

    [Fact, Contract("R-DEF-26")]
    public void Lock_ALongLineOfThoseWhoGiveItBackAtOnce_NeedsNoDeepStack()
    {
        const int Many = 100_000;
        var gate = new DeferredLock();
        int served = 0;
        DeferredPermit holder = gate.Acquire().ValueNow();
        for (int i = 0; i < Many; i++)
        {
            gate.Run(() => served++);
        }

        holder.Dispose();

        Assert.Equal(Many, served);
        Assert.False(gate.IsLocked);
    }
}
