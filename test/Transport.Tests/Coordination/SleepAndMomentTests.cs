using LoopBridge.Bridge;
using LoopBridge.Coordination;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Pauses, by the loop's turns and the loop's clock.</summary>
public sealed class SleepAndMomentTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks("moment", "null")]
    [Contract("L-GEN-06")]
    public Task Moment_LetsTheLoopRunOneTurn(LoopStack stack, string form) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var order = new List<string>();
        await loop.Moment(); // a turn of our own, whose callbacks begin here
        loop.AddCallback(() =>
        {
            order.Add("callback");
            loop.AddCallback(() => order.Add("callback of the callback"));
        });
        loop.CallLater(TimeSpan.Zero, () => order.Add("timeout"));

        await PauseAsync();
        order.Add("first");
        await PauseAsync();
        order.Add("second");

        Assert.True(loop.IsOnLoopThread);
        Assert.Equal("callback", order[0]);
        Assert.Equal(["first", "timeout", "callback of the callback", "second"], order.Skip(1));

        // Null is converted to a Task for a moment, in the turn in which the moment itself would go on.
        async Task PauseAsync()
        {
            if (form == "null")
            {
                await loop.Convert(null);
            }
            else
            {
                await loop.Moment();
            }
        }
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-06")]
    public Task Moment_TwoTasks_TakeTurns(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var order = new List<string>();
        await Task.WhenAll(CountAsync("a"), CountAsync("b"));
        Assert.Equal(["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"], order);

        async Task CountAsync(string name)
        {
            for (int i = 0; i < 5; i++)
            {
                order.Add($"{name}{i}");
                await loop.Moment();
            }
        }
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-07")]
    public Task SleepAsync_EndsByTheClockOfTheLoopAlone(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        Task hour = loop.SleepAsync(TimeSpan.FromHours(1)).AsTask();
        Task minute = loop.SleepAsync(TimeSpan.FromMinutes(1)).AsTask();
        await loop.PassAsync(_clock, 59.Seconds());
        Assert.False(minute.IsCompleted);
        await loop.PassAsync(_clock, 1.Seconds());
        await minute;
        Assert.False(hour.IsCompleted);
        await loop.PassAsync(_clock, TimeSpan.FromMinutes(59));
        await hour;
        Assert.True(loop.IsOnLoopThread);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-07")]
    public Task SleepAsync_NoTime_EndsInALaterTurn(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        bool ran = false;
        loop.AddCallback(() => ran = true);
        Task sleep = loop.SleepAsync(TimeSpan.Zero).AsTask();
        Assert.False(sleep.IsCompleted);
        await sleep;
        Assert.True(ran);
        await loop.SleepAsync(-3.Seconds());
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-07")]
    public Task SleepAsync_RealClock_IsNotShort(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        TimeSpan start = loop.Time;
        await loop.SleepAsync(TimeSpan.FromMilliseconds(30));
        Assert.InRange(loop.Time - start, TimeSpan.FromMilliseconds(30), Deadline.Default);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-07")]
    public Task SleepAsync_Cancelled_LeavesNoTimer(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        using var cancellation = new CancellationTokenSource();
        Task sleep = loop.SleepAsync(1.Seconds(), cancellation.Token).AsTask();
        Task endless = loop.SleepAsync(Timeout.InfiniteTimeSpan, cancellation.Token).AsTask();
        await loop.PassAsync(_clock, TimeSpan.Zero);
        Assert.Equal(1, Timers(loop));
        await Task.Run(cancellation.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleep);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop.SleepAsync(1.Seconds(), cancellation.Token).AsTask());
        Assert.Equal(0, Timers(loop));
    });

    private static int Timers(IEventLoop loop) => loop is LoopOnReactor { Reactor: var below }
        ? below.GetDelayedCalls().Count
        : ((EventLoop)loop).GetStatistics().PendingTimeouts;
}
