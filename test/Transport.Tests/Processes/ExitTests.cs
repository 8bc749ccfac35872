using LoopBridge.Interop;
using LoopBridge.Loops;
using LoopBridge.Processes;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Processes;

public sealed class ExitTests : ProcessContract
{
    private const int SignalTerminate = 15;
    private const int SignalKill = 9;

    [Theory, LoopStacks(0, 1, 42, 255)]
    [Contract("L-PROC-05")]
    public async Task ExitTask_ChildEnds_GivesItsCodeAfterTheCallbackOnTheLoop(LoopStack stack, int code)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Quiet($"exit {code}"));
            var told = new List<string>();
            process.SetExitCallback(status => told.Add($"callback {status} {loop.IsOnLoopThread} {process.HasExited}"));
            int status = await process.ExitTask;
            told.Add($"task {status} {loop.IsOnLoopThread} {process.HasExited}");
            Assert.Equal([$"callback {code} True True", $"task {code} True True"], told);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-05")]
    public async Task ExitTask_ChildEndedBySignal_GivesItsNegativeNumber(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess own = Start(loop, Quiet("kill -TERM $$"));
            Assert.Equal(-SignalTerminate, await own.ExitTask);

            LoopProcess killed = Start(loop, new LoopProcessStartInfo("sleep", "1000"));
            Assert.True(killed.Kill());
            Assert.Equal(-SignalKill, await killed.ExitTask);
            Assert.False(killed.Kill());
            Assert.False(killed.SendSignal(SignalTerminate));

            LoopProcess asked = Start(loop, new LoopProcessStartInfo("sleep", "1000"));
            Assert.Throws<ArgumentOutOfRangeException>(() => asked.SendSignal(1000));
            Assert.True(asked.Terminate());
            Assert.Equal(-SignalTerminate, await asked.ExitTask);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-05")]
    public async Task SetExitCallback_ChildGoneAlready_IsToldInALaterTurn(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Quiet("exit 7"));
            await process.ExitTask;
            var told = new TaskCompletionSource<int?>();
            process.SetExitCallback(told.SetResult);
            Assert.False(told.Task.IsCompleted);
            Assert.Equal(7, await told.Task);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-05")]
    public async Task SetExitCallback_ItThrows_TheLoopIsToldAndTheTaskGoesOn(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Quiet("exit 7"));
            process.SetExitCallback(_ => throw new InvalidOperationException("mine"));
            Assert.Equal(7, await process.ExitTask);
        });
        Assert.IsType<InvalidOperationException>(Assert.Single(Log.WaitAndTake(LogLevel.Error)).Exception);
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-06")]
    public async Task WaitForExitAsync_CodeNotZero_ThrowsUnlessSwitchedOff(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Quiet("exit 3"));
            CancellationToken token = TestContext.Current.CancellationToken;
            CalledProcessException error = await Assert.ThrowsAsync<CalledProcessException>(
                () => process.WaitForExitAsync(cancellationToken: token));
            Assert.Equal(3, error.ExitCode);
            Assert.Equal("'sh' ended with exit code 3.", error.Message);
            Assert.Equal(3, await process.WaitForExitAsync(raiseError: false));

            LoopProcess signalled = Start(loop, Quiet("kill -KILL $$"));
            error = await Assert.ThrowsAsync<CalledProcessException>(() => signalled.WaitForExitAsync(cancellationToken: token));
            Assert.Equal("'sh' was ended by signal 9.", error.Message);
            Assert.Equal(0, await Start(loop, Quiet("exit 0")).WaitForExitAsync());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-06")]
    public async Task WaitForExitAsync_Cancelled_LeavesTheChildAlone(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Shell("read -r go"));
            using var cancellation = new CancellationTokenSource();
            Task wait = process.WaitForExitAsync(cancellationToken: cancellation.Token);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
            Assert.False(process.HasExited);
            await process.StandardInput!.WriteAsync("go\n"u8.ToArray());
            Assert.Equal(0, await process.WaitForExitAsync());
            await process.DisposeAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-10")]
    public async Task ExitTask_StatusTakenBySomebodyElse_FailsWithUnknownStatus(LoopStack stack)
    {
        using var shared = new HeldSharedLoop();
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Quiet("exit 3"));
            int? told = 0;
            process.SetExitCallback(status => told = status);
            LibC.WaitForEnd(process.Id).OrThrow("waitpid"); // this thread is the loop's: it cannot be faster
            shared.LetGo();
            UnknownExitStatusException error = await Assert.ThrowsAsync<UnknownExitStatusException>(() => process.ExitTask);
            Assert.Equal(process.Id, error.ProcessId);
            Assert.Null(told);
            Assert.False(process.Kill());
        });
        Assert.Contains("somebody else", Log.TakeSingle(LogLevel.Warning).Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-10")]
    public async Task ExitTask_LoopClosedFirst_FailsAndTheChildIsStillReaped(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        LoopProcess process = await thread.Ask(() => Start(thread.Loop, new LoopProcessStartInfo("sleep", "1000")));
        thread.Stop();
        ((IDisposable)thread.Loop).Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => process.ExitTask.WithDeadline());
        Assert.True(process.Kill());

        // A zombie has its folder until somebody takes its status.
        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists($"/proc/{process.Id}"), Deadline.Default));
    }

    private static LoopProcessStartInfo Quiet(string script) => new("sh", "-c", script);

    /// <summary>Keeps the thread busy that waits for the children of other loops.</summary>
    private sealed class HeldSharedLoop : IDisposable
    {
        private readonly ManualResetEventSlim _letGo = new();
        private readonly IEventLoop _loop = SharedExitLoop.Acquire();

        internal HeldSharedLoop() => _loop.AddCallback(() =>
        {
            _letGo.Wait(Deadline.Default);
            SharedExitLoop.Release();
        });

        internal void LetGo() => _letGo.Set();

        public void Dispose() => _letGo.Set();
    }
}
