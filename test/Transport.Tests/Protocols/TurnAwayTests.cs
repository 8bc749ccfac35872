using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>A process that has hardly any descriptors: a child of the test, because nothing of the test's own may be without.</summary>
public sealed class TurnAwayTests : ProtocolContract
{
    private static readonly string Worker = Path.Combine(AppContext.BaseDirectory, "LoopBridge.Worker.dll");

    [Theory, ReactorStacks]
    [Contract("R-TCPP-03")]
    public async Task Accept_HardlyAnyDescriptors_ClientsSeeACleanClose_ThenThePortServesAgain(ReactorStack stack)
    {
        SkipUnless(OperatingSystem.IsLinux(), "the limit is set by setrlimit(2)");
        int slash = stack.Name.LastIndexOf('/');

        // Ten descriptors stay: too few to serve (the listener keeps a sixteenth of 400), enough for the runtime.
        using Process child = Start("full", stack.Name[..slash], $"{stack.Driver}", "10");
        try
        {
            int port = int.Parse(await LineAsync(child), CultureInfo.InvariantCulture);
            await AssertServedAsync(port); // loads whatever code and files this needs
            Assert.Equal("full", await OrderAsync(child, "fill"));
            for (int i = 0; i < 5; i++)
            {
                using Peer client = await ConnectAsync(port);
                await client.SendAsync("served?"u8.ToArray());
                Assert.Empty(await client.ReadToEndAsync());
            }

            Assert.Equal("free", await OrderAsync(child, "free"));
            await AssertServedAsync(port);
            Assert.Equal("full", await OrderAsync(child, "fill"));
            using (Peer client = await ConnectAsync(port))
            {
                Assert.Empty(await client.ReadToEndAsync());
            }

            Assert.Equal("free", await OrderAsync(child, "free"));
            await AssertServedAsync(port);
            string[] names = (await OrderAsync(child, "end")).Split(' ');
            Assert.Equal(
                ["TurningAway", "ServingAgain", "TurningAway", "ServingAgain"],
                names.Where(name => name is "TurningAway" or "ServingAgain"));
            Assert.DoesNotContain("AcceptExhausted", names);
            await child.WaitForExitAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.Equal(0, child.ExitCode);
        }
        finally
        {
            if (!child.HasExited)
            {
                child.Kill();
            }

            child.StandardInput.Dispose(); // not with the process, once they were asked for
            child.StandardOutput.Dispose();
        }
    }

    private static async Task AssertServedAsync(int port)
    {
        using Peer client = await ConnectAsync(port);
        Assert.Equal("hello"u8.ToArray(), await client.ReadAsync(5));
    }

    private static async Task<Peer> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)).WithDeadline();
        return new Peer(socket);
    }

    private static Process Start(params string[] arguments)
        => Process.Start(new ProcessStartInfo("dotnet", [Worker, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    private static async Task<string> OrderAsync(Process child, string order)
    {
        await child.StandardInput.WriteLineAsync(order);
        await child.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        return await LineAsync(child);
    }

    private static async Task<string> LineAsync(Process child)
        => await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WithDeadline()
            ?? throw new EndOfStreamException("The child has ended.");
}
