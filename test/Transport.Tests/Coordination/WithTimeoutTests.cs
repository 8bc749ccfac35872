using LoopBridge.Coordination;
using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Waiting, but not for ever.</summary>
public sealed class WithTimeoutTests : LoopContract
{
    private readonly ManualTimeProvider _clock = new();

    [Theory, LoopStacks]
    [Contract("L-GEN-08")]
    public Task WithTimeoutAsync_DeadlineFirst_ThrowsAndTheInnerGoesOn(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var inner = new TaskCompletionSource<int>();
        var deferred = new Deferred<int>();
        Task<int> ofTask = loop.WithTimeoutAsync(inner.Task, 1.Seconds());
        Task<int> ofDeferred = loop.WithTimeoutAsync(deferred, 1.Seconds());
        Task ofPlainTask = loop.WithTimeoutAsync((Task)inner.Task, 1.Seconds());
        await loop.SettleAsync();
        Assert.False(ofTask.IsCompleted);
        await loop.PassAsync(_clock, 1.Seconds());

        await Assert.ThrowsAsync<TimeoutException>(() => ofTask);
        await Assert.ThrowsAsync<TimeoutException>(() => ofDeferred);
        await Assert.ThrowsAsync<TimeoutException>(() => ofPlainTask);
        Assert.False(inner.Task.IsCompleted);
        Assert.False(deferred.IsFired);
        inner.SetResult(1); // late, and nobody is told of a success
        deferred.Callback(1);
        await loop.SettleAsync();
        Assert.Equal(0, Timers(loop));
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-08")]
    public Task WithTimeoutAsync_LateError_IsLoggedUnlessQuiet(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var loud = new TaskCompletionSource<int>();
        var quiet = new TaskCompletionSource<int>();
        var cancelled = new TaskCompletionSource<int>();
        Task[] limited =
        [
            loop.WithTimeoutAsync(loud.Task, 1.Seconds(), quiet: [typeof(IOException)]),
            loop.WithTimeoutAsync(quiet.Task, 1.Seconds(), quiet: [typeof(IOException)]),
            loop.WithTimeoutAsync(cancelled.Task, 1.Seconds()),
        ];
        await loop.PassAsync(_clock, 1.Seconds());
        Assert.All(limited, static task => Assert.IsType<TimeoutException>(task.Exception!.InnerException));

        loud.SetException(new FormatException("loud"));
        quiet.SetException(new FileNotFoundException());
        cancelled.SetCanceled(new CancellationToken(canceled: true));
        await loop.SettleAsync();

        Assert.Equal("loud", Log.TakeSingle(LogLevel.Error).Exception!.Message);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-08")]
    public Task WithTimeoutAsync_EndsFirst_GivesItsOutcomeAndNoTimer(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var succeeding = new TaskCompletionSource<int>();
        var failing = new Deferred<int>();
        var cancelling = new TaskCompletionSource<int>();
        Task<int> first = loop.WithTimeoutAsync(succeeding.Task, 10.Seconds());
        Task<int> second = loop.WithTimeoutAsync(failing, 10.Seconds());
        Task<int> third = loop.WithTimeoutAsync(cancelling.Task, 10.Seconds());
        var error = new FormatException();
        succeeding.SetResult(3);
        failing.Errback(error);
        cancelling.SetCanceled(new CancellationToken(canceled: true));

        Assert.Equal(3, await first);
        Assert.Same(error, await Assert.ThrowsAsync<FormatException>(() => second));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        Assert.Equal(0, Timers(loop));
        await loop.PassAsync(_clock, 20.Seconds());
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-08")]
    public Task WithTimeoutAsync_EndedAlready_IsDoneAtOnce(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        Assert.Equal(1, await loop.WithTimeoutAsync(Task.FromResult(1), TimeSpan.Zero));
        Assert.Equal(2, await loop.WithTimeoutAsync(Deferred.Succeed(2), -1.Seconds()));
        Assert.True(loop.WithTimeoutAsync(Task.CompletedTask, TimeSpan.Zero).IsCompletedSuccessfully);
        await Assert.ThrowsAsync<FormatException>(
            () => loop.WithTimeoutAsync(Task.FromException<int>(new FormatException()), TimeSpan.Zero));
        Assert.Equal(0, Timers(loop));
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-08")]
    public Task WithTimeoutAsync_TaskOfAnotherThread_ComesHome(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        using var gate = new ManualResetEventSlim();
        Task<int> limited = loop.WithTimeoutAsync(Task.Run(() =>
        {
            gate.Wait();
            return 3;
        }), Deadline.Default);
        gate.Set();
        Assert.Equal(3, await limited);
        Assert.True(loop.IsOnLoopThread);
        Assert.Equal(0, Timers(loop));
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-08")]
    public Task WithTimeoutAsync_NoLimit_WaitsForTheEnd(LoopStack stack) => StartLoop(stack, _clock).RunAsync(async loop =>
    {
        var inner = new TaskCompletionSource<int>();
        Task<int> endless = loop.WithTimeoutAsync(inner.Task, Timeout.InfiniteTimeSpan);
        await loop.PassAsync(_clock, TimeSpan.FromDays(1000));
        inner.SetResult(1);
        Assert.Equal(1, await endless);
    });

    // The native loop can tell; on others the outcome is what is tested.
    private static int Timers(IEventLoop loop) => loop is EventLoop native ? native.GetStatistics().PendingTimeouts : 0;
}
