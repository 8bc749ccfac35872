using LoopBridge.Processes;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Processes;

/// <summary>Task ids, replacements, the limit and the stop, with shell scripts as workers.</summary>
public sealed class WorkerTests : ProcessContract
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(1);

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task RunAsync_AllEndNormally_EachHadItsTaskIdAndTheRunIsDone(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var outputs = new Dictionary<int, Task<string>>();
        WorkerProcessesOptions options = Workers(4, "echo \"$LOOPBRIDGE_TASK_ID $LOOPBRIDGE_LISTEN_FDS\"");
        options.Program.StandardOutput = ProcessRedirect.Pipe;
        options.Started += (id, process) => outputs[id] = OutputOfAsync(process);
        using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
        await workers.RunAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(4, outputs.Count);
        for (int id = 0; id < 4; id++)
        {
            Assert.Equal($"{id} 0\n", await outputs[id].WithDeadline());
        }

        Assert.Throws<InvalidOperationException>(() => { _ = workers.RunAsync(TestContext.Current.CancellationToken); });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task RunAsync_WorkersEndAbnormally_AreReplacedUnderTheirIds(LoopStack stack)
    {
        string folder = Directory.CreateTempSubdirectory("loopbridge").FullName;
        try
        {
            LoopThread thread = StartLoop(stack);
            var started = new List<int>();

            // Id 0 ends well; 1 fails once with a code, 2 once by a signal. Each leaves a mark first.
            WorkerProcessesOptions options = Workers(3, $"""
                cd '{folder}'
                [ -e $LOOPBRIDGE_TASK_ID ] && exit 0
                : > $LOOPBRIDGE_TASK_ID
                case $LOOPBRIDGE_TASK_ID in 1) exit 9;; 2) kill -KILL $$;; esac
                """);
            options.Started += (id, _) => started.Add(id);
            using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
            await workers.RunAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.Equal([0, 1, 1, 2, 2], started.Order());
            Assert.Collection(
                Log.Take(LogLevel.Warning).Select(entry => entry.Message).Order(StringComparer.Ordinal),
                first => Assert.Matches("^Worker 1 .* ended with 9;", first),
                second => Assert.Matches("^Worker 2 .* ended with -9;", second));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task RunAsync_WorkersGoOnFailing_GivesUpAfterAHundredAndStopsTheOthers(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var processes = new List<LoopProcess>();
        WorkerProcessesOptions options = Workers(2, "[ $LOOPBRIDGE_TASK_ID = 0 ] && exec sleep 1000; exit 1");
        options.RestartDelay = options.MaxRestartDelay = TimeSpan.Zero;
        options.Started += (_, process) => processes.Add(process);
        using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
        WorkerRestartException error = await Assert.ThrowsAsync<WorkerRestartException>(
            () => workers.RunAsync(TestContext.Current.CancellationToken).WithDeadline());
        Assert.Equal(100, error.Restarts);
        Assert.Equal(102, processes.Count);
        Assert.All(processes, process => Assert.True(process.HasExited));
        Assert.Equal(100, Log.Take(LogLevel.Warning).Count);
        Assert.Contains("100 times", Log.TakeSingle(LogLevel.Error).Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task RunAsync_Cancelled_AsksWorkersToEndAndReplacesNone(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var stop = new CancellationTokenSource();
        var ready = new List<Task>();
        var ends = new List<Task<int>>();
        var allStarted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        WorkerProcessesOptions options = Workers(2, "trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done");
        options.Program.StandardOutput = ProcessRedirect.Pipe;
        options.Started += (_, process) =>
        {
            ready.Add(process.StandardOutput!.ReadUntilAsync(NewLine).AsTask());
            ends.Add(process.ExitTask);
            KillAtEnd(process);
            if (ends.Count == 2)
            {
                allStarted.SetResult();
            }
        };
        using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
        Task run = workers.RunAsync(stop.Token);
        await allStarted.Task.WithDeadline();
        await Task.WhenAll(ready).WithDeadline();
        Assert.False(run.IsCompleted);
        await stop.CancelAsync();
        await run.WithDeadline();
        Assert.All(ends, end => Assert.Equal(5, end.Result));
        Assert.Equal(2, ends.Count);
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task RunAsync_CancelledAndAWorkerStays_IsKilledAfterTheTimeout(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var stop = new CancellationTokenSource();
        Task<int>? end = null;
        WorkerProcessesOptions options = Workers(1, "trap '' TERM; echo ready; while :; do sleep 0.01; done");
        options.ShutdownTimeout = TimeSpan.FromMilliseconds(50);
        options.Program.StandardOutput = ProcessRedirect.Pipe;
        options.Started += async (_, process) =>
        {
            end = process.ExitTask;
            KillAtEnd(process);
            await process.StandardOutput!.ReadUntilAsync(NewLine);
            await stop.CancelAsync();
        };
        using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
        await workers.RunAsync(stop.Token).WithDeadline();
        Assert.Equal(-9, await end!);
        Assert.Contains("it is killed", Log.TakeSingle(LogLevel.Warning).Message, StringComparison.Ordinal);
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task RunAsync_CancelledWhileAReplacementWaits_IsDoneAtOnce(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        using var stop = new CancellationTokenSource();
        WorkerProcessesOptions options = Workers(1, "exit 1");
        options.RestartDelay = options.MaxRestartDelay = TimeSpan.FromHours(1);
        using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
        Task run = workers.RunAsync(stop.Token);
        Assert.Contains("01:00:00", Assert.Single(Log.WaitAndTake(LogLevel.Warning)).Message, StringComparison.Ordinal);
        await stop.CancelAsync();
        await run.WithDeadline();
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01"), Contract("L-PROC-07")]
    public async Task RunAsync_NoSuchProgram_ThrowsTheReason(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var options = new WorkerProcessesOptions(new LoopProcessStartInfo("/no/such/program")) { Count = 2 };
        using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
        await Assert.ThrowsAsync<ProcessStartException>(() => workers.RunAsync(TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task RunAsync_LoopClosed_AsksWorkersToEndAndFails(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        var started = new TaskCompletionSource<LoopProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new WorkerProcessesOptions(new LoopProcessStartInfo("sleep", "1000")) { Count = 1 };
        options.Started += (_, process) => started.SetResult(process);
        using var workers = new WorkerProcesses(thread.Loop, options, Log.CreateLogger("workers"));
        Task run = workers.RunAsync(TestContext.Current.CancellationToken);
        LoopProcess process = await started.Task.WithDeadline();
        KillAtEnd(process);
        thread.Stop();
        ((IDisposable)thread.Loop).Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => run.WithDeadline());
        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists($"/proc/{process.Id}"), Deadline.Default));
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public void Constructor_OptionOutOfRange_Throws(LoopStack stack)
    {
        var loop = NewLoop(stack);
        Assert.ThrowsAny<ArgumentException>(() => new WorkerProcesses(loop, Workers(0, "")));
        WorkerProcessesOptions options = Workers(1, "");
        options.MaxRestartDelay = TimeSpan.Zero;
        Assert.ThrowsAny<ArgumentException>(() => new WorkerProcesses(loop, options));
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-01")]
    public async Task TaskId_NoWorker_IsNullAndAWorkersVariablesAreNotForItsChildren(LoopStack stack)
    {
        Assert.Null(WorkerProcess.TaskId);
        Assert.Empty(WorkerProcess.ListeningSockets);
        Environment.SetEnvironmentVariable(WorkerEnvironment.TaskIdVariable, "5");
        try
        {
            await StartLoop(stack).RunAsync(async loop =>
            {
                LoopProcess process = Start(loop, Shell("echo ${LOOPBRIDGE_TASK_ID-none}"));
                Assert.Equal("none\n", await OutputOfAsync(process));
                await process.WaitForExitAsync();
                await process.DisposeAsync();
            });
        }
        finally
        {
            Environment.SetEnvironmentVariable(WorkerEnvironment.TaskIdVariable, null);
        }
    }

    [Fact]
    [Contract("L-PROC-01")]
    public void NextDelay_WorkerEndsSoonAgain_DoublesUpToTheLongestUntilOneLivesWell()
    {
        TimeSpan first = TimeSpan.FromSeconds(1);
        TimeSpan longest = TimeSpan.FromSeconds(3);
        var slot = new WorkerSlot(0, first);
        Assert.Equal([1, 2, 3, 3], Enumerable.Range(0, 4).Select(_ => slot.NextDelay(TimeSpan.Zero, first, longest).TotalSeconds));
        Assert.Equal(1, slot.NextDelay(TimeSpan.FromSeconds(4), first, longest).TotalSeconds);
    }

    private static WorkerProcessesOptions Workers(int count, string script)
        => new(new LoopProcessStartInfo("sh", "-c", script)) { Count = count, RestartDelay = Soon };
}
