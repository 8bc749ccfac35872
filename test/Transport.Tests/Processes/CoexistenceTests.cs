using System.Diagnostics;
using LoopBridge.Processes;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Processes;

/// <summary>Several loops, and .NET's own processes, have children at the same time, and nobody loses one.</summary>
public sealed class CoexistenceTests : ProcessContract
{
    private const int Rounds = 3;
    private const int Each = 24;

    [Theory, LoopStacks]
    [Contract("L-PROC-05"), Contract("L-PROC-09")]
    public async Task ExitTask_DozensBesideDotNetsProcesses_BothHearOfEachTheirOwn(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        for (int round = 0; round < Rounds; round++)
        {
            Task<int>[] theirs = [.. Enumerable.Range(0, Each).Select(code => Task.Run(() => RunByDotNetAsync(code)))];
            await thread.RunAsync(async loop =>
            {
                var ours = new List<LoopProcess>();
                for (int code = 0; code < Each; code++)
                {
                    ours.Add(Start(loop, new LoopProcessStartInfo("sh", "-c", $"exit {code}")));
                    await Task.Yield();
                }

                Assert.Equal(Enumerable.Range(0, Each), await Task.WhenAll(ours.Select(process => process.ExitTask)));
            });
            Assert.Equal(Enumerable.Range(0, Each), await Task.WhenAll(theirs).WithDeadline());
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-09")]
    public async Task ExitTask_OnSeveralLoops_EachIsToldOnItsOwn(LoopStack stack)
    {
        LoopThread[] threads = [StartLoop(stack), StartLoop(stack), StartLoop(stack)];
        await Task.WhenAll(threads.Select(thread => thread.RunAsync(async loop =>
        {
            for (int code = 0; code < Each; code++)
            {
                LoopProcess process = Start(loop, new LoopProcessStartInfo("sh", "-c", $"exit {code}"));
                Assert.Equal(code, await process.ExitTask);
                Assert.True(loop.IsOnLoopThread);
            }
        })));
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-09")]
    public async Task Start_AndExit_ChangeNoSignalHandlerOfThisProcess(LoopStack stack)
    {
        (ulong, ulong, ulong) before = Signals();
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Shell("read -r go"));
            Assert.Equal(before, Signals());
            process.Kill();
            await process.ExitTask;
            await process.DisposeAsync();
        });
        Assert.Equal(before, Signals());
    }

    private static (ulong Caught, ulong Ignored, ulong Blocked) Signals()
        => (HygieneTests.SignalsOf("self", "SigCgt"), HygieneTests.SignalsOf("self", "SigIgn"), HygieneTests.SignalsOf("self", "SigBlk"));

    private static async Task<int> RunByDotNetAsync(int code)
    {
        using Process process = Process.Start("/bin/sh", ["-c", $"exit {code}"]);
        try
        {
            await process.WaitForExitAsync().WithDeadline();
            return process.ExitCode;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(); // lost: the deadline's exception says so
            }
        }
    }
}
