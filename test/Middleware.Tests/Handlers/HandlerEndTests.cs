using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>How connections end, the same for every carrier and both styles.</summary>
public sealed class HandlerEndTests
{
    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Failure_OfAHandler_IsLoggedOnceWithTheConnectionAndEndsOnlyThatOne(
        Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        server.Server.Expect(IsProbeFailure);
        await using Client other = await server.ConnectAsync();
        await other.SendAsync(new byte[1]);
        await other.ReceiveAsync(1);

        server.Probe.Act = Act.Throw;
        await using (Client client = await server.ConnectAsync())
        {
            await client.SendAsync(new byte[1]);
            await client.WaitForEndAsync();
        }

        await server.Probe.Resources.Last().Disposed.WithDeadline();
        server.Probe.Act = Act.Echo;
        await other.SendAsync("on"u8.ToArray());
        Assert.Equal("on"u8.ToArray(), await other.ReceiveAsync(2));
        LogEntry failure = Assert.Single(server.Server.Logs.AtLeast(LogLevel.Error));
        Assert.True(IsProbeFailure(failure), failure.ToString());
        Assert.Matches("(?i)connection id \"[0-9a-z:-]+\"", failure.Message);
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Goodbye_FromTheHandler_ArrivesAndThenTheEnd(Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver, Act.Goodbye);
        await using Client client = await server.ConnectAsync();

        await client.SendAsync(new byte[1]);

        Assert.Equal(Probe.LastWords, await client.ReceiveAllAsync());
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Abort_FromTheHandler_EndsTheConnectionWithoutHelpFromTheClient(
        Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver, Act.Abort);
        await using Client client = await server.ConnectAsync();

        await client.SendAsync(new byte[1]);

        await (await server.Probe.First.WithDeadline()).Disposed.WithDeadline();
        await client.WaitForEndAsync();
        Assert.All(server.Probe.Losses, reason => Assert.IsType<ConnectionAbortedLocallyException>(reason));
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Reset_ByTheClient_EndsTheConnectionQuietly(Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        Client client = await server.ConnectAsync();
        await client.SendAsync(new byte[1]);
        await client.ReceiveAsync(1);

        client.Reset();

        await (await server.Probe.First.WithDeadline()).Disposed.WithDeadline();
        Assert.Empty(server.Server.Logs.AtLeast(LogLevel.Error));
        Assert.All(server.Probe.Losses, reason => Assert.True(reason is ConnectionLostException or ConnectionDoneException,
            reason.ToString()));
        await client.DisposeAsync();
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task Scope_OfAConnection_IsDisposedOnceAfterItOnItsLoop(
        Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver);
        await using (Client client = await server.ConnectAsync())
        {
            await client.SendAsync(new byte[1]);
            await client.ReceiveAsync(1);
            Assert.Equal(0, (await server.Probe.First.WithDeadline()).Disposals);
        }

        ScopedResource resource = await server.Probe.First.WithDeadline();
        await resource.Disposed.WithDeadline();
        Assert.Equal(1, resource.Disposals);
        Assert.True(resource.DisposedOnLoop);
        Assert.False(resource.DisposedWhileConnected);
    }

    [Theory, ClassData(typeof(HandlerCases))]
    public async Task ServerStop_WithLiveConnections_SendsWhatWasWrittenAndEndsThemInOrder(
        Carrier carrier, Style style, LoopBridgeMode mode, LoopDriver driver)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(carrier, style, mode, driver, Act.Flood);
        await using Client client = await server.ConnectAsync();
        await client.SendAsync(new byte[1]);
        await client.ReceiveAsync(1);

        Task stopped = server.Server.App.StopAsync(CancellationToken.None);
        byte[] rest = await client.ReceiveAllAsync();
        await client.DisposeAsync(); // a WebSocket's client says goodbye in turn
        await stopped.WithDeadline();

        Assert.Equal(Probe.FloodSize - 1, rest.Length);
        Assert.All(server.Probe.Losses, reason => Assert.IsType<ConnectionDoneException>(reason));
    }

    private static bool IsProbeFailure(LogEntry entry) => entry.Exception is InvalidOperationException { Message: "The probe throws." };
}
