using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Running a loop until one task is done.</summary>
public sealed class RunSyncTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-FUT-06"), Contract("L-FUT-09"), Contract("L-FUT-10")]
    public void RunSync_Asynchronous_GivesTheResultAndLeavesNothing(LoopStack stack)
    {
        var clock = new ManualTimeProvider();
        IEventLoop loop = NewLoop(stack, clock);
        for (int i = 0; i < 3; i++)
        {
            int result = loop.RunSync(async _ =>
            {
                Assert.Same(loop, CurrentLoop.Value);
                await Task.Yield();
                Assert.True(loop.IsOnLoopThread);
                return 42;
            }, Deadline.Default);
            Assert.Equal(42, result);
        }

        // A timer that was left would stop the loop before its last turn.
        clock.Advance(Deadline.Default * 2);
        int turns = 0;
        void Count()
        {
            if (++turns < 5)
            {
                loop.AddCallback(Count);
            }
        }

        loop.AddCallback(Count);
        loop.RunTurns(5);
        Assert.Equal(5, turns);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-05"), Contract("L-FUT-06")]
    public void RunSync_Throwing_GivesTheOriginalException(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var mine = new InvalidDataException("mine");
        Assert.Same(mine, Assert.Throws<InvalidDataException>(() => loop.RunSync<int>(_ => throw mine, Deadline.Default)));
        Assert.Same(mine, Assert.Throws<InvalidDataException>(() => loop.RunSync(async _ =>
        {
            await Task.Yield();
            throw mine;
        }, Deadline.Default)));
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-05")]
    public void RunSync_NoTaskAtAll_ThrowsInsteadOfWaiting(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Assert.Throws<InvalidOperationException>(() => loop.RunSync<int>(static _ => null!, Deadline.Default));
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-07")]
    public void RunSync_TimeOut_ThrowsThatCancelsAndTheLoopGoesOn(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var limit = TimeSpan.FromMilliseconds(5);
        CancellationToken seen = default;
        Assert.Throws<TimeoutException>(() => loop.RunSync(async token =>
        {
            seen = token;
            await new TaskCompletionSource().Task.WaitAsync(token);
        }, limit));
        Assert.True(seen.IsCancellationRequested);

        // Cancellation that completes the task at once is a time-out all the same.
        Assert.Throws<TimeoutException>(() => loop.RunSync(static token => new TaskCompletionSource<int>().Task.WaitAsync(token), limit));

        // What the first functions still had to say does not end this run.
        Assert.Equal(7, loop.RunSync(Yielding, Deadline.Default));
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-08")]
    public void RunSync_Stopped_Throws(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var never = new TaskCompletionSource<int>();
        Assert.Throws<InvalidOperationException>(() => loop.RunSync(_ =>
        {
            loop.Stop();
            return never.Task;
        }));

        // Its late end stops nobody else's run.
        never.SetResult(1);
        Assert.Equal(7, loop.RunSync(Yielding, Deadline.Default));
    }

    [Theory, LoopStacks]
    public void RunSync_StopPendingOrRunning_ThrowsAndNeverRunsTheFunction(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        bool ran = false;
        Task<int> Function(CancellationToken token)
        {
            ran = true;
            return Task.FromResult(1);
        }

        loop.Stop();
        Assert.Throws<InvalidOperationException>(() => loop.RunSync(Function, Deadline.Default));
        Assert.Equal(7, loop.RunSync(Yielding, Deadline.Default));
        bool threw = false;
        loop.AddCallback(() =>
        {
            Assert.Throws<InvalidOperationException>(() => loop.RunSync(Function, Deadline.Default));
            threw = true;
        });
        loop.RunTurns(3);
        Assert.True(threw);
        Assert.False(ran);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-06")]
    public void RunSync_TaskDoneByAThread_Ends(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Assert.Equal(3, loop.RunSync(static token => Task.Run(static () => 3, token), Deadline.Default));
    }

    // Several turns long, so that anything left over has time to end it.
    private static async Task<int> Yielding(CancellationToken token)
    {
        for (int i = 0; i < 10; i++)
        {
            await Task.Yield();
        }

        return 7;
    }
}
