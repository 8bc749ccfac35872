using System.Runtime.CompilerServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>What holds for everything that a loop runs.</summary>
public sealed class InvariantTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-INV-01")]
    public async Task Loop_AllKindsOfWork_RunsOnItsThreadOneAtATime(LoopStack stack)
    {
        const int Rounds = 200;
        SocketPair pair = Own(SocketPair.Tcp());
        LoopThread thread = StartLoop(stack);
        IEventLoop loop = thread.Loop;
        int inside = 0;
        int wrong = 0;
        var kinds = new Dictionary<string, int>();
        void Enter(string kind)
        {
            bool alone = Interlocked.Increment(ref inside) == 1;
            wrong += alone && loop.IsOnLoopThread ? 0 : 1;
            kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
            Interlocked.Decrement(ref inside);
        }

        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() => loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (handle, _) =>
        {
            Enter("handler");
            loop.CallLater(TimeSpan.Zero, () => Enter("timeout"));
            if (kinds["handler"] == Rounds)
            {
                loop.RemoveHandler(handle);
                loop.CallLater(TimeSpan.FromMilliseconds(1), over.SetResult);
            }
        }));
        Task[] posters = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                loop.AddCallback(async () =>
                {
                    Enter("callback");
                    await Task.Run(static () => { }).ConfigureAwait(true);
                    Enter("continuation");
                });
            }
        }))];
        await Task.WhenAll(posters).WithDeadline();
        await over.Task.WithDeadline();
        await thread.RunAsync(async _ =>
        {
            while (kinds.GetValueOrDefault("continuation") < 2 * Rounds)
            {
                await Task.Yield();
            }
        });
        Assert.Equal(0, wrong);
        Assert.Equal(Rounds, kinds["handler"]);
        Assert.Equal(Rounds, kinds["timeout"]);
        Assert.Equal(2 * Rounds, kinds["callback"]);
    }

    [Theory, LoopStacks]
    [Contract("L-INV-04")]
    public void SchedulingCalls_OnTheLoop_InvokeNothingInside(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        bool scheduling = false;
        int ran = 0;
        void Run()
        {
            Assert.False(scheduling);
            ran++;
        }

        loop.AddCallback(() =>
        {
            scheduling = true;
            loop.AddCallback(Run);
            loop.AddCallback(_ => Run(), null);
            loop.AddCallback(() =>
            {
                Run();
                return Task.CompletedTask;
            });
            loop.SpawnCallback(Run);
            loop.AddCallbackFromSignal(Run);
            loop.CallAt(TimeSpan.MinValue, Run);
            loop.CallLater(TimeSpan.MinValue, Run);
            loop.AddFuture(Task.CompletedTask, _ => Run());
            loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (handle, _) =>
            {
                Run();
                loop.RemoveHandler(handle);
            });
            loop.SynchronizationContext.Post(_ => Run(), null);
            scheduling = false;
        });
        loop.RunTurns(2);
        Assert.Equal(10, ran);
    }

    [Theory, LoopStacks]
    [Contract("L-INV-06")]
    public void Dispose_WorkLeft_HoldsNoReferenceToIt(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        WeakReference[] held = Schedule(loop, pair);
        loop.RunTurns(2);
        Assert.All(held, static reference => Assert.True(reference.IsAlive));
        held = [.. held, ScheduleCallback(loop)];
        loop.Dispose();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.All(held, static reference => Assert.False(reference.IsAlive));
        GC.KeepAlive(loop);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Schedule(IEventLoop loop, SocketPair pair)
    {
        object timed = new();
        object handled = new();
        loop.CallLater(TimeSpan.FromHours(1), static _ => { }, timed);
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (_, _) => GC.KeepAlive(handled));
        return [new WeakReference(timed), new WeakReference(handled)];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference ScheduleCallback(IEventLoop loop)
    {
        object queued = new();
        loop.AddCallback(static _ => { }, queued);
        return new WeakReference(queued);
    }
}
