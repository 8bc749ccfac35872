using System.Diagnostics;
using LoopBridge.Kestrel;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

public sealed class GuestRunTests
{
    private GuestRun _run;

    [Fact]
    public void TryHold_OutsideARun_IsRefused()
    {
        Assert.False(_run.TryHold());
        Assert.True(_run.TryBegin());
        Assert.False(_run.End());
        Assert.False(_run.TryHold());
    }

    [Fact]
    public void End_AfterFlushes_HandsThemToTheCaller()
    {
        Assert.True(_run.TryBegin());
        Assert.True(_run.TryHold());
        Assert.True(_run.TryHold());
        Assert.True(_run.End());

        Assert.True(_run.TryBegin());
        Assert.False(_run.End()); // nothing is left of the run before
    }

    [Fact]
    public async Task TryHold_OnAnotherThread_IsRefused()
    {
        Assert.True(_run.TryBegin());
        await OnOtherThreadAsync(() => Assert.False(_run.TryHold()));
    }

    [Fact]
    public async Task Overtake_HandsHeldFlushesOver_AndLaterOnesAreNotHeld()
    {
        Assert.True(_run.TryBegin());
        Assert.True(_run.TryHold());
        await OnOtherThreadAsync(() => Assert.True(_run.Overtake()));
    }

    [Fact]
    public void Overtake_OfARunThatGoesOn_KeepsOthersOutUntilItReturns()
    {
        Assert.True(_run.TryBegin());
        Assert.False(_run.Overtake());
        Assert.False(_run.TryHold());
        Assert.False(_run.TryBegin());
        Assert.False(_run.End());
        Assert.True(_run.TryBegin());
    }

    [Fact]
    public void Overtake_AfterTheEnd_ChangesNothing()
    {
        Assert.True(_run.TryBegin());
        Assert.False(_run.End());
        Assert.False(_run.Overtake());
        Assert.True(_run.TryBegin());
        Assert.True(_run.TryHold());
    }

    // Each held flush is sent by exactly one: the run at its end, who overtook it, or the flush itself.
    [Fact]
    public async Task HoldEndAndOvertake_AtTheSameTime_EachFlushHasOneSender()
    {
        const int Rounds = 20_000;
        TimeSpan enough = Deadline.Default / 10; // each round changes threads four times, which takes long where there is one processor
        long start = Stopwatch.GetTimestamp();
        var begun = new Barrier(2);
        bool goOn = true;
        int heldRounds = 0;
        int sentByOvertaker = 0;
        int sentByRun = 0;
        Task overtaker = OnOtherThreadAsync(() =>
        {
            while (Volatile.Read(ref goOn))
            {
                begun.SignalAndWait();
                sentByOvertaker += _run.Overtake() ? 1 : 0;
                begun.SignalAndWait();
            }
        });
        await OnOtherThreadAsync(() =>
        {
            for (int i = 1; goOn; i++)
            {
                Assert.True(_run.TryBegin());
                begun.SignalAndWait();
                heldRounds += _run.TryHold() ? 1 : 0;
                sentByRun += _run.End() ? 1 : 0;
                Volatile.Write(ref goOn, i < Rounds && Stopwatch.GetElapsedTime(start) < enough); // before the barrier: both see the same
                begun.SignalAndWait();
            }
        });
        await overtaker;
        Assert.Equal(heldRounds, sentByOvertaker + sentByRun);
    }

    private static async Task OnOtherThreadAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e); // the test's
            }
        })
        { IsBackground = true }.Start();
        await done.Task.WithDeadline();
    }
}
