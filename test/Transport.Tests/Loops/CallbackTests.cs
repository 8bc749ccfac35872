using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Posting from anywhere.</summary>
public sealed class CallbackTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-CB-12"), Contract("L-INV-01")]
    public async Task AddCallback_ManyFromSeveralThreads_AllRunOnceInOrderPerThread(LoopStack stack)
    {
        const int Threads = 4;
        const int Each = 25_000;
        LoopThread thread = StartLoop(stack);
        IEventLoop loop = thread.Loop;
        int[] next = new int[Threads];
        int wrong = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] posters = [.. Enumerable.Range(0, Threads).Select(poster => Task.Run(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                int expected = i;
                loop.AddCallback(() =>
                {
                    wrong += next[poster]++ == expected && loop.IsOnLoopThread ? 0 : 1;
                    if (next.Sum() == Threads * Each)
                    {
                        done.SetResult();
                    }
                });
            }
        }))];
        await Task.WhenAll(posters).WithDeadline();
        await done.Task.WithDeadline();
        Assert.Equal(0, wrong);
        Assert.All(next, static count => Assert.Equal(Each, count));
    }

    [Theory, LoopStacks]
    [Contract("L-CB-02")]
    public async Task AddCallback_IdleLoop_IsWoken(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        for (int i = 0; i < 200; i++)
        {
            Assert.True(await thread.Ask(() => thread.Loop.IsOnLoopThread && CurrentLoop.Value == thread.Loop));
        }
    }

    [Theory, LoopStacks]
    [Contract("L-CB-09")]
    public void AddCallback_AmbientContext_IsTheOneOfScheduling(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
        var ambient = new AsyncLocal<string>();
        var seen = new List<string?>();
        ambient.Value = "callback";
        loop.AddCallback(() =>
        {
            seen.Add(ambient.Value);
            ambient.Value = "leaked";
        });
        ambient.Value = "timeout";
        loop.CallLater(TimeSpan.Zero, () => seen.Add(ambient.Value));
        ambient.Value = "handler";
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (handle, _) =>
        {
            seen.Add(ambient.Value);
            ambient.Value = "leaked";
            loop.RemoveHandler(handle);
        });
        ambient.Value = "caller";
        loop.RunTurns(1);
        Assert.Equal(["callback", "timeout", "handler"], seen);
        Assert.Equal("caller", ambient.Value);
    }

    [Theory, LoopStacks]
    [Contract("L-CB-11"), Contract("L-INV-02")]
    public void AddCallback_AfterClose_IsRefused(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Assert.True(loop.AddCallback(static () => Assert.Fail("The loop never ran.")));
        loop.Dispose();
        Assert.False(loop.AddCallback(static () => Assert.Fail("The loop is closed.")));
        Assert.False(loop.AddCallback(static _ => Assert.Fail("The loop is closed."), null));
        loop.Stop();
    }
}
