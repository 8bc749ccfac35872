using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>The sample on a socket that its parent passes, as systemd does: sd_listen_fds(3).</summary>
public sealed partial class SystemdTests
{
    private const int F_SETFD = 2;

    [Theory]
    [InlineData(LoopBridgeMode.ReactorOnLoop, LoopDriver.Epoll)]
    [InlineData(LoopBridgeMode.ReactorOnLoop, LoopDriver.Managed)]
    [InlineData(LoopBridgeMode.LoopOnReactor, LoopDriver.Epoll)]
    [InlineData(LoopBridgeMode.LoopOnReactor, LoopDriver.Managed)]
    [Contract("K-18"), Contract("K-17"), Contract("K-38")]
    public async Task UseSystemd_ASocketThatOutlivesTheProcess_IsServedByOneAfterTheOther(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are passed as on Linux.");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        Assert.Equal(0, Control((int)socket.Handle, F_SETFD, 0)); // children inherit it
        string shell = $"exec 3<&{socket.Handle}; export LISTEN_FDS=1 LISTEN_PID=$$";
        string[] arguments = [$"--LoopBridge:Mode={mode}", $"--LoopBridge:Driver={driver}"];

        await using (SampleProcess first = await SampleProcess.StartAsync(shell, arguments))
        {
            await using Client client = await AskAsync(socket.LocalEndPoint!);
            await AssertServedAsync(client);
            await first.TerminateAsync();
            Assert.Equal(0, await first.WaitForExitAsync());
            Assert.Contains($"Now listening on: http://{socket.LocalEndPoint}", first.Output, StringComparison.Ordinal);
        }

        await using Client waiting = await AskAsync(socket.LocalEndPoint!); // in the queue, while nobody serves
        await using (SampleProcess second = await SampleProcess.StartAsync(shell, arguments))
        {
            await AssertServedAsync(waiting);
        }
    }

    private static async Task<Client> AskAsync(EndPoint endPoint)
    {
        Client client = await Client.TcpAsync(endPoint);
        await client.SendAsync("GET /plaintext HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
        return client;
    }

    private static async Task AssertServedAsync(Client client)
        => Assert.EndsWith("Hello, World!", Encoding.ASCII.GetString(await client.ReceiveAllAsync()), StringComparison.Ordinal);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);
}
