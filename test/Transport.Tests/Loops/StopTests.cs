using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Start, stop, start again.</summary>
public sealed class StopTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-CORE-01")]
    public void Start_WhileRunning_ThrowsAndTheRunGoesOn(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var reported = new List<Exception>();
        loop.ExceptionHandler = (e, _) => reported.Add(e);
        loop.AddCallback(loop.Start);
        loop.AddCallback(loop.Dispose);
        bool ran = false;
        loop.AddCallback(() => loop.AddCallback(() => ran = true));
        loop.RunTurns(2);
        Assert.Equal(2, reported.Count);
        Assert.All(reported, static e => Assert.IsType<InvalidOperationException>(e));
        Assert.True(ran);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-02"), Contract("L-CORE-04")]
    public void Stop_FromCallback_FinishesTheTurnSkipsThePollAndKeepsTheRest(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var order = new List<string>();
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (_, _) =>
        {
            order.Add("handler");
            loop.Stop();
        });
        loop.CallLater(TimeSpan.Zero, () => order.Add("timeout"));
        loop.AddCallback(() =>
        {
            loop.Stop();
            loop.AddCallback(() => order.Add("kept"));
        });
        loop.AddCallback(() => order.Add("callback"));
        loop.StartBounded();
        Assert.Equal(["callback", "timeout"], order);

        loop.StartBounded();
        Assert.Equal(["callback", "timeout", "kept", "handler"], order);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-03")]
    public void Stop_BeforeStart_EndsTheNextStartAndOnlyThat(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        bool ran = false;
        loop.AddCallback(() =>
        {
            ran = true;
            loop.Stop();
        });
        loop.Stop();
        loop.Stop();
        loop.StartBounded();
        Assert.False(ran);
        loop.StartBounded();
        Assert.True(ran);
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-04")]
    public void Start_ManyTimes_GoesOnEachTime(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        int fired = 0;
        for (int i = 1; i <= 50; i++)
        {
            loop.CallLater(TimeSpan.Zero, () => fired++);
            loop.RunTurns(0);
            Assert.Equal(i, fired);
            Assert.False(loop.IsOnLoopThread);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-05")]
    public async Task Stop_FromAnotherThread_WakesAnIdleLoop(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        for (int i = 0; i < 20; i++)
        {
            var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.AddCallback(running.SetResult);
            Task run = Task.Factory.StartNew(
                loop.Start, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await running.Task.WithDeadline();
            if (i % 2 == 0)
            {
                loop.Stop();
            }
            else
            {
                loop.AddCallback(loop.Stop);
            }

            await run.WithDeadline();
        }
    }

    [Theory, LoopStacks]
    [Contract("L-CORE-07")]
    public void Start_InsideAnotherLoop_RestoresWhatWasCurrent(LoopStack stack)
    {
        IEventLoop outer = NewLoop(stack);
        IEventLoop inner = NewLoop(stack);
        bool inside = false;
        bool restored = false;
        inner.AddCallback(() =>
        {
            inside = CurrentLoop.Value == inner && SynchronizationContext.Current == inner.SynchronizationContext;
            inner.Stop();
        });
        outer.AddCallback(() =>
        {
            inner.StartBounded();
            restored = CurrentLoop.Value == outer && SynchronizationContext.Current == outer.SynchronizationContext;
            outer.Stop();
        });
        outer.StartBounded();
        Assert.True(inside);
        Assert.True(restored);
    }

    [Theory, LoopStacks]
    [Contract("L-INV-02")]
    public async Task Start_FromManyThreadsAtOnce_OneRunsAndTheOthersThrow(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        for (int round = 0; round < 20; round++)
        {
            using var together = new Barrier(4);
            Task<bool>[] starts = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    together.SignalAndWait();
                    try
                    {
                        loop.Start();
                        return true;
                    }
                    catch (InvalidOperationException)
                    {
                        return false; // another one was first
                    }
                }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];

            // When three have given up, the fourth is the one that runs.
            Assert.True(SpinWait.SpinUntil(() => starts.Count(static start => start.IsCompleted) == 3, Deadline.Default));
            loop.Stop();
            bool[] ran = await Task.WhenAll(starts).WithDeadline();
            Assert.Single(ran, true);
        }
    }
}
