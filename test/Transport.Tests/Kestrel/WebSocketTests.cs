using System.Net.WebSockets;
using System.Text;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class WebSocketTests
{
    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-97")]
    public async Task Echo_ManyMessagesAndClientClose_EndsWithBothCloseFrames(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using ClientWebSocket client = await ConnectAsync(server);
        byte[] large = new byte[300_000];
        new Random(7).NextBytes(large);
        foreach (byte[] message in (byte[][])["ping"u8.ToArray(), [], large, "pong"u8.ToArray()])
        {
            await client.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, TestContext.Current.CancellationToken).WithDeadline();
            Assert.True((await ReceiveAsync(client)).AsSpan().SequenceEqual(message));
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "enough", TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(WebSocketState.Closed, client.State);
        Assert.Equal("enough", client.CloseStatusDescription);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-97")]
    public async Task ServerClose_ReachesTheClient(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using ClientWebSocket client = await ConnectAsync(server);
        await client.SendAsync(Encoding.ASCII.GetBytes("close"), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken).WithDeadline();
        WebSocketReceiveResult result = await client.ReceiveAsync(new ArraySegment<byte>(new byte[100]), TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(WebSocketMessageType.Close, result.MessageType);
        Assert.Equal("as you wish", result.CloseStatusDescription);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken).WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-97"), Contract("K-87")]
    public async Task ClientVanishes_HandlerEndsWithoutAnError(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, ended);
        ClientWebSocket client = await ConnectAsync(server);
        client.Abort();
        client.Dispose();
        await ended.Task.WithDeadline();
    }

    private static async Task<ClientWebSocket> ConnectAsync(LoopBridgeServer server)
    {
        var client = new ClientWebSocket();
        client.Options.Proxy = null;
        await client.ConnectAsync(new Uri($"ws://{server.EndPoint()}/socket"), CancellationToken.None).WithDeadline();
        return client;
    }

    private static async Task<byte[]> ReceiveAsync(WebSocket socket)
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (true)
        {
            WebSocketReceiveResult result = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None).WithDeadline();
            message.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
            {
                return message.ToArray();
            }
        }
    }

    private static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling, TaskCompletionSource? ended = null)
        => LoopBridgeServer.StartAsync(
            mode,
            driver,
            app: app =>
            {
                app.UseWebSockets();
                app.Map("/socket", async (HttpContext context) =>
                {
                    using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                    await Record.ExceptionAsync(() => EchoAsync(socket)); // a client that vanishes
                    ended?.SetResult();
                });
            },
            options: o => o.Scheduling = scheduling);

    private static async Task EchoAsync(WebSocket socket)
    {
        byte[] buffer = new byte[4096];
        while (true)
        {
            WebSocketReceiveResult result = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), CancellationToken.None);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, result.CloseStatusDescription, CancellationToken.None);
                return;
            }

            if (result.MessageType == WebSocketMessageType.Text)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "as you wish", CancellationToken.None);
                return;
            }

            await socket.SendAsync(buffer.AsMemory(0, result.Count), WebSocketMessageType.Binary, result.EndOfMessage, CancellationToken.None);
        }
    }
}
