using System.Text;
using LoopBridge.Loops;
using LoopBridge.Processes;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Streams;

namespace LoopBridge.Transport.Tests.Processes;

/// <summary>The way of Windows and macOS, over .NET's own process class, which works on Linux as well.</summary>
public sealed class PortableTests : ProcessContract
{
    [Theory, LoopStacks]
    [Contract("L-PROC-02"), Contract("L-PROC-03"), Contract("L-PROC-04")]
    public async Task Start_InteractiveChild_AnswersEachLineAndEndsOnClose(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = StartPortable(loop, Shell("while read -r line; do echo \"got $line\"; done; echo bye >&2; exit 7"));
            for (int round = 0; round < 20; round++)
            {
                await process.StandardInput!.WriteAsync(Encoding.ASCII.GetBytes($"{round}\n"));
                Assert.Equal($"got {round}\n", (await process.StandardOutput!.ReadUntilAsync(NewLine)).Text());
            }

            await process.StandardInput!.CloseAsync();
            Assert.Empty(await OutputOfAsync(process));
            Assert.Equal("bye\n", (await process.StandardError!.ReadUntilCloseAsync()).Text());
            Assert.Equal(7, await process.ExitTask);
            Assert.True(loop.IsOnLoopThread);
            Assert.False(process.Kill());
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-07")]
    public async Task Start_NoSuchProgram_ThrowsAndLeavesNothing(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(loop =>
        {
            LeakCheck leaks = LeakCheck.Begin();
            var info = new LoopProcessStartInfo("/no/such/program") { StandardOutput = ProcessRedirect.Pipe };
            ProcessStartException error = Assert.Throws<ProcessStartException>(() => StartPortable(loop, info));
            Assert.Contains("/no/such/program", error.Message, StringComparison.Ordinal);
            using var file = File.OpenHandle("/dev/null");
            info.StandardOutput = ProcessRedirect.To(file);
            Assert.Throws<PlatformNotSupportedException>(() => StartPortable(loop, info));
            leaks.Verify();
            return Task.CompletedTask;
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-05")]
    public async Task Kill_RunningChild_EndsIt(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = StartPortable(loop, new LoopProcessStartInfo("sleep", "1000"));
            Assert.True(process.Kill());
            Assert.Equal(128 + 9, await process.ExitTask); // .NET's word for a signal
            LoopProcess asked = StartPortable(loop, new LoopProcessStartInfo("sleep", "1000"));
            Assert.True(asked.Terminate());
            Assert.Equal(128 + 15, await asked.ExitTask);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-03")]
    public async Task Start_NullStreams_ChildReadsNothingAndWritesWithoutEnd(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            var info = new LoopProcessStartInfo("sh", "-c", "cat; head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 3")
            {
                StandardInput = ProcessRedirect.Null,
                StandardOutput = ProcessRedirect.Null,
                StandardError = ProcessRedirect.Null,
            };
            Assert.Equal(3, await StartPortable(loop, info).ExitTask);
        });
    }

    private LoopProcess StartPortable(IEventLoop loop, LoopProcessStartInfo info)
    {
        LoopProcess process = LoopProcess.Start(loop, info, Log.CreateLogger("process"), spawn: false);
        KillAtEnd(process);
        return process;
    }
}
