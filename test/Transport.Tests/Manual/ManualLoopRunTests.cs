using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Manual;
using LoopBridge.Streams;

namespace LoopBridge.Transport.Tests.Manual;

public sealed class ManualLoopRunTests
{
    [Fact]
    public void RunUntilIdle_RunsChains_AndLeavesTheClock()
    {
        using var loop = new ManualLoop();
        int ran = 0;
        loop.CallLater(TimeSpan.FromSeconds(1), () => ran = -1);
        loop.AddCallback(() => loop.AddCallback(() => loop.AddCallback(() => ran = 3)));
        Assert.Equal(3, loop.RunUntilIdle());
        Assert.Equal(3, ran);
        Assert.Equal(TimeSpan.Zero, loop.Time);
        Assert.Equal(TimeSpan.FromSeconds(1), loop.NextDeadline);
        Assert.Equal(0, loop.RunUntilIdle());
    }

    [Fact]
    public void RunUntilIdle_EndlessChain_FailsAfterTheLimit()
    {
        using var loop = new ManualLoop(new ManualLoopOptions { MaxTurns = 50, Name = "endless" });
        void Again() => loop.AddCallback(Again);
        Again();
        var thrown = Assert.Throws<ManualLoopStuckException>(() => loop.RunUntilIdle());
        Assert.Contains("after 50 turns the loop 'endless' still has something to do", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("callbacks queued: 1", thrown.Message, StringComparison.Ordinal);
        Assert.Equal(50, loop.Turns);
    }

    [Fact]
    public void Run_GivesTheResult_AndStaysOnTheLoop()
    {
        using var loop = new ManualLoop();
        int result = loop.Run(async () =>
        {
            Assert.Same(loop.SynchronizationContext, SynchronizationContext.Current);
            Assert.Same(TaskScheduler.Default, TaskScheduler.Current);
            await Task.Yield();
            Assert.Same(loop, CurrentLoop.Value);
            return 42;
        });
        Assert.Equal(42, result);
        Assert.Equal(2, loop.Turns);
    }

    [Fact]
    public void Run_FunctionFails_ThrowsItsException()
    {
        using var loop = new ManualLoop();
        Assert.Throws<FormatException>(() => loop.Run(() => throw new FormatException()));
        Assert.Throws<FormatException>(() => loop.Run(async () =>
        {
            await Task.Yield();
            throw new FormatException();
        }));
        Assert.ThrowsAny<OperationCanceledException>(() => loop.Run(() => Task.FromCanceled(new CancellationToken(canceled: true))));
        Assert.Throws<InvalidOperationException>(() => loop.Run(() => null!));
        Assert.Empty(loop.Exceptions);
    }

    [Fact]
    public void Run_NothingLeftToDo_IsADeadlockThatSaysWhatIsPending()
    {
        using var loop = new ManualLoop();
        (LoopStream client, _) = loop.CreateStreamPair();
        loop.Advance(TimeSpan.FromSeconds(5));
        loop.CallLater(TimeSpan.FromSeconds(30), () => { });
        var thrown = Assert.Throws<ManualLoopStuckException>(() => loop.Run(() => client.Receive(new byte[1])));
        Assert.Contains("deadlock", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("the clock is at 00:00:05, callbacks queued: 0, timeouts pending: 1, the next one in 00:00:30", thrown.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Run_AdvanceClock_JumpsToTheDeadlines()
    {
        using var loop = new ManualLoop();
        Task Wait() => Task.Delay(TimeSpan.FromDays(1), loop.TimeProvider);
        Assert.Throws<ManualLoopStuckException>(() => loop.Run(Wait));
        loop.Advance(TimeSpan.FromHours(1));
        loop.Run(Wait, advanceClock: true);
        Assert.Equal(TimeSpan.FromHours(25), loop.Time);
    }

    [Fact]
    public void Run_AdvanceClock_NeverJumpsToForEver()
    {
        using var loop = new ManualLoop();
        loop.CallLater(TimeSpan.MaxValue, () => { });
        var never = new TaskCompletionSource();
        Assert.Throws<ManualLoopStuckException>(() => loop.RunUntilComplete(never.Task, advanceClock: true));
        Assert.Equal(TimeSpan.Zero, loop.Time);
    }

    [Fact]
    public void Run_HeartbeatWhileTheTaskWaits_FailsAfterTheLimit()
    {
        using var loop = new ManualLoop(new ManualLoopOptions { MaxTurns = 100 });
        void Beat() => loop.CallLater(TimeSpan.FromSeconds(1), Beat);
        Beat();
        var never = new TaskCompletionSource();
        Assert.Throws<ManualLoopStuckException>(() => loop.RunUntilComplete(never.Task, advanceClock: true));
        Assert.Equal(100, loop.Turns);
    }

    [Fact]
    public void RunUntilComplete_DoneAlready_NeedsNoTurn()
    {
        using var loop = new ManualLoop();
        Assert.Equal(1, loop.RunUntilComplete(Task.FromResult(1)));
        Assert.Equal(0, loop.Turns);
    }

    [Fact]
    public void RunUntilComplete_ExceptionElsewhere_SurfacesFirst()
    {
        using var loop = new ManualLoop();
        var done = new TaskCompletionSource();
        loop.AddCallback(() => throw new FormatException());
        loop.AddCallback(() => loop.AddCallback(done.SetResult));
        Assert.Throws<FormatException>(() => loop.RunUntilComplete(done.Task));
        loop.RunUntilComplete(done.Task);
    }

    [Fact]
    public void Begin_RunsNothingUntilATurn()
    {
        using var loop = new ManualLoop();
        bool ran = false;
        Task task = loop.Begin(() =>
        {
            ran = true;
            return Task.CompletedTask;
        });
        Assert.False(ran);
        loop.RunTurn();
        Assert.True(ran);
        Assert.True(task.IsCompletedSuccessfully);
    }

    [Fact]
    public void Stop_InATurn_EndsTheRunWithoutThePoll()
    {
        using var loop = new ManualLoop();
        using var descriptor = new ManualDescriptor { Ready = IoEvents.Read };
        int handled = 0;
        loop.AddHandler(descriptor, IoEvents.Read, (_, _) => handled++);
        loop.AddCallback(loop.Stop);
        Assert.Equal(1, loop.RunUntilIdle());
        Assert.Equal(0, handled);
        loop.RunTurn();
        Assert.Equal(1, handled);
        loop.RemoveHandler(descriptor);
        loop.AddCallback(loop.Stop);
        Assert.Throws<InvalidOperationException>(() => loop.RunUntilComplete(new TaskCompletionSource().Task));
    }

    [Fact]
    public void Start_RunsUntilStop_AndTheClockJumps()
    {
        using var loop = new ManualLoop();
        loop.CallLater(TimeSpan.FromMinutes(1), loop.Stop);
        loop.Start();
        Assert.Equal(TimeSpan.FromMinutes(1), loop.Time);
        Assert.Throws<ManualLoopStuckException>(loop.Start);
        loop.Stop();
        loop.AddCallback(() => Assert.Fail("A stop before the start ends it before its first turn."));
        loop.Start();
    }

    [Fact]
    public void RunSync_WorksOnIt()
    {
        using var loop = new ManualLoop();
        Assert.Equal(7, loop.RunSync(async token =>
        {
            await Task.Delay(TimeSpan.FromHours(1), loop.TimeProvider, token);
            return 7;
        }));
        Assert.Throws<TimeoutException>(() => loop.RunSync(
            token => Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, token), TimeSpan.FromSeconds(1)));
        Assert.Equal(new TimeSpan(1, 0, 1), loop.Time);
    }
}
