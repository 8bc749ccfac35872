using System.Text;
using LoopBridge.Processes;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Streams;

namespace LoopBridge.Transport.Tests.Processes;

public sealed class TalkTests : ProcessContract
{
    private const int Rounds = 20;
    private const int Children = 20;
    private const string Echo = "while read -r line; do echo \"got $line\"; done; echo bye";

    [Theory, LoopStacks]
    [Contract("L-PROC-02")]
    public async Task Start_InteractiveChild_AnswersEachLineAndEndsOnClose(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            for (int child = 0; child < Children; child++)
            {
                LoopProcess process = Start(loop, Shell(Echo));
                for (int round = 0; round < Rounds; round++)
                {
                    await process.StandardInput!.WriteAsync(Encoding.ASCII.GetBytes($"{child}.{round}\n"));
                    Assert.Equal($"got {child}.{round}\n", (await process.StandardOutput!.ReadUntilAsync(NewLine)).Text());
                }

                await process.StandardInput!.CloseAsync();
                Assert.Equal("bye\n", await OutputOfAsync(process));
                Assert.Empty(await process.StandardError!.ReadUntilCloseAsync());
                Assert.Equal(0, await process.WaitForExitAsync());
            }
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-02")]
    public async Task Start_ManyInteractiveChildrenAtOnce_EachHearsItsOwnAnswer(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            await Task.WhenAll(Enumerable.Range(0, Children).Select(async child =>
            {
                LoopProcess process = Start(loop, Shell(Echo));
                for (int round = 0; round < Rounds; round++)
                {
                    await process.StandardInput!.WriteAsync(Encoding.ASCII.GetBytes($"{child}.{round}\n"));
                    Assert.Equal($"got {child}.{round}\n", (await process.StandardOutput!.ReadUntilAsync(NewLine)).Text());
                }

                await process.StandardInput!.CloseAsync();
                await process.WaitForExitAsync();
                Assert.Equal("bye\n", await OutputOfAsync(process));
                await process.DisposeAsync();
            }));
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-03")]
    public async Task CloseAsync_OfStandardInput_EndsTheChildAndItsOutputIsComplete(LoopStack stack)
    {
        byte[] noise = StreamTestData.Noise(1_000_000);
        await StartLoop(stack).RunAsync(async loop =>
        {
            var info = new LoopProcessStartInfo("cat") { StandardInput = ProcessRedirect.Pipe, StandardOutput = ProcessRedirect.Pipe };
            LoopProcess process = Start(loop, info);
            Task write = process.StandardInput!.WriteAsync(noise).AsTask();
            Task close = process.StandardInput.CloseAsync().AsTask();
            Assert.Equal(noise, await process.StandardOutput!.ReadUntilCloseAsync());
            await write;
            await close;
            Assert.Equal(0, await process.ExitTask);
            Assert.Null(process.StandardError);
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-04")]
    public async Task StandardError_Piped_IsReadToTheEndApartFromTheOutput(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Shell("echo out; echo err >&2; echo more >&2"));
            Task<byte[]> errors = process.StandardError!.ReadUntilCloseAsync().AsTask();
            Assert.Equal("out\n", await OutputOfAsync(process));
            Assert.Equal("err\nmore\n", (await errors).Text());
            await process.WaitForExitAsync();
            await process.DisposeAsync();
        });
    }

    [Theory, LoopStacks]
    [Contract("L-PROC-04")]
    public async Task Abort_OfOnePipe_LeavesTheOthersAlone(LoopStack stack)
    {
        await StartLoop(stack).RunAsync(async loop =>
        {
            LoopProcess process = Start(loop, Shell("read -r go; /bin/echo lost; echo \"err $?\" >&2"));
            process.StandardOutput!.Abort();
            await process.StandardOutput.CloseAsync();
            await process.StandardInput!.WriteAsync("go\n"u8.ToArray());

            // The writer died of SIGPIPE, 128 + 13 for the shell: signals are at their default in a child.
            Assert.Equal("err 141\n", (await process.StandardError!.ReadUntilCloseAsync()).Text());
            await process.WaitForExitAsync();
            await process.DisposeAsync();
        });
    }
}
