using System.Runtime.CompilerServices;
using LoopBridge.Coordination;
using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>Ending Tasks, chaining them, and failures that nobody looks at.</summary>
public sealed class CompletionTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-GEN-12")]
    public Task UnlessCancelled_Cancelled_DoesNothingAndKeepsNoErrorBack(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var typed = new TaskCompletionSource<int>();
        var plain = new TaskCompletionSource();
        typed.SetCanceled(new CancellationToken(canceled: true));
        plain.SetCanceled(new CancellationToken(canceled: true));

        Assert.False(typed.SetResultUnlessCancelled(1));
        Assert.False(plain.SetResultUnlessCancelled());
        Assert.False(typed.SetExceptionUnlessCancelled(new FormatException("typed"), loop));
        Assert.False(plain.SetExceptionUnlessCancelled(new FormatException("plain"), loop));

        await loop.SettleAsync();
        Assert.True(typed.Task.IsCanceled && plain.Task.IsCanceled);
        Assert.Equal(["typed", "plain"], Log.Take(LogLevel.Error).Select(entry => entry.Exception!.Message));
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-12")]
    public Task UnlessCancelled_EndedAlready_IsAnErrorOfTheOwner(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var typed = new TaskCompletionSource<int>();
        var plain = new TaskCompletionSource();
        var failing = new TaskCompletionSource<int>();
        Assert.True(typed.SetResultUnlessCancelled(1));
        Assert.True(plain.SetResultUnlessCancelled());
        Assert.True(failing.SetExceptionUnlessCancelled(new FormatException(), loop));

        Assert.Throws<InvalidOperationException>(() => typed.SetResultUnlessCancelled(2));
        Assert.Throws<InvalidOperationException>(() => plain.SetResultUnlessCancelled());
        Assert.Throws<InvalidOperationException>(() => failing.SetExceptionUnlessCancelled(new FormatException(), loop));
        Assert.Throws<InvalidOperationException>(() => plain.SetExceptionUnlessCancelled(new FormatException(), loop));
        Assert.Throws<InvalidOperationException>(() => typed.SetResult(2)); // the platform's own says so too
        Assert.Equal(1, await typed.Task);
        await Assert.ThrowsAsync<FormatException>(() => failing.Task);
    });

    [Theory, LoopStacks]
    [Contract("L-GEN-12"), Contract("L-FUT-13")]
    public async Task UnobservedTasks_AFailedTaskIsCollected_IsLoggedOnce(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        string mark = Guid.NewGuid().ToString();
        using (new UnobservedTasks(thread.Loop))
        {
            Abandon(mark);
            IReadOnlyList<LogEntry> logged = WaitFor(mark);
            LogEntry entry = Assert.Single(logged);
            Assert.Contains("nobody observed", entry.Message, StringComparison.Ordinal);
            Collect();
            await thread.Do(static () => { });
            Assert.DoesNotContain(Log.Take(LogLevel.Error), again => again.Exception?.Message == mark);
        }

        string silent = Guid.NewGuid().ToString();
        Abandon(silent); // nobody listens any more
        Collect();
        await thread.Do(static () => { });
        Assert.DoesNotContain(Log.Take(LogLevel.Error), entry => entry.Exception?.Message == silent);
    }

    [Theory, LoopStacks]
    [Contract("L-FUT-13")]
    public Task Failure_BeforeAndAfterTheTaskExists_ComesTheOneWayAndTheOther(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        Action begin = () => Assert.NotNull(BeginAsync(null!));
        Assert.Throws<ArgumentNullException>(begin);

        Task<int> later = BeginAsync("four");
        FormatException error = await Assert.ThrowsAsync<FormatException>(() => later);
        Assert.Contains(nameof(ParseAsync), error.StackTrace, StringComparison.Ordinal);
        Assert.Equal(4, await BeginAsync("4"));

        Task<int> BeginAsync(string text)
        {
            ArgumentNullException.ThrowIfNull(text);
            return ParseAsync(text);
        }

        async Task<int> ParseAsync(string text)
        {
            await loop.Moment();
            return int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        }
    });

    [Theory, LoopStacks]
    [Contract("L-FUT-13")]
    public Task CompletionCallback_Throws_IsLoggedAndDoesNotChangeTheTask(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var source = new TaskCompletionSource<int>();
        source.Task.GetAwaiter().OnCompleted(static () => throw new FormatException("callback"));
        await Task.Run(() => source.SetResult(3));
        await loop.SettleAsync();

        Assert.Equal("callback", Log.TakeSingle(LogLevel.Error).Exception!.Message);
        Assert.Equal(3, await source.Task);
    });

    [Theory, LoopStacks]
    [Contract("L-FUT-14")]
    public Task ChainTo_CopiesTheOutcomeAndOverwritesNothing(LoopStack stack) => StartLoop(stack).RunAsync(async loop =>
    {
        var error = new FormatException();
        var cancelled = new CancellationToken(canceled: true);
        Assert.Equal(3, await Chain(Task.FromResult(3)).Task);
        Assert.Equal(4, await Chain(Task.Run(static () => 4)).Task);
        Assert.Same(error, await Assert.ThrowsAsync<FormatException>(() => Chain(Task.FromException<int>(error)).Task));
        Task<int> target = Chain(Task.FromCanceled<int>(cancelled)).Task;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => target);
        Assert.True(target.IsCanceled);

        var ended = new TaskCompletionSource<int>();
        ended.SetResult(1);
        Task.FromResult(2).ChainTo(ended, loop);
        var gaveUp = new TaskCompletionSource<int>();
        Task.FromResult(2).ChainTo(gaveUp, loop);
        gaveUp.SetCanceled(cancelled);
        await loop.SettleAsync();
        Assert.Equal(1, await ended.Task);
        Assert.True(gaveUp.Task.IsCanceled);

        TaskCompletionSource<int> Chain(Task<int> source)
        {
            var follower = new TaskCompletionSource<int>();
            source.ChainTo(follower, loop);
            Assert.False(follower.Task.IsCompleted); // through the loop, also if the source has ended
            return follower;
        }
    });

    [Theory, LoopStacks]
    [Contract("L-FUT-14")]
    public void ChainTo_LoopIsClosed_StillEnds(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        loop.Dispose();
        var target = new TaskCompletionSource<int>();
        Task.FromResult(2).ChainTo(target, loop);
        Assert.True(target.Task.IsCompletedSuccessfully);
    }

    // Others' failures may be reported in between: the event is the process's.
    private List<LogEntry> WaitFor(string mark)
    {
        var found = new List<LogEntry>();
        Assert.True(SpinWait.SpinUntil(() =>
        {
            Collect();
            found.AddRange(Log.Take(LogLevel.Error).Where(entry => entry.Exception?.Message == mark));
            return found.Count > 0;
        }, Deadline.Default));
        return found;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Abandon(string message) => Assert.True(Task.FromException(new FormatException(message)).IsFaulted);

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
