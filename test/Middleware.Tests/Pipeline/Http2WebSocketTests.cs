using System.Net;
using System.Net.WebSockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>WebSockets on streams of one HTTP/2 connection (RFC 8441, extended CONNECT), beside its ordinary requests.</summary>
public sealed class Http2WebSocketTests
{
    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-97")]
    public async Task Echo_OnManyStreamsForManyMessages_ComesBack(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Localhost)),
            app =>
            {
                app.UseWebSockets();
                app.MapGet("/", () => "hello");
                app.Map("/ws", EchoAsync);
            });
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler { SslOptions = TlsClients.Options() });
        using HttpClient http = TlsClients.Create();
        var address = new UriBuilder(server.Addresses[0]) { Scheme = "wss", Path = "/ws" };

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TalkAsync(address.Uri, invoker))).WithDeadline();

        Assert.Equal("hello", await http.GetStringAsync(server.Addresses[0], TestContext.Current.CancellationToken).WithDeadline());
    }

    private static async Task TalkAsync(Uri address, HttpMessageInvoker invoker)
    {
        using var webSocket = new ClientWebSocket();
        webSocket.Options.HttpVersion = HttpVersion.Version20;
        webSocket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await webSocket.ConnectAsync(address, invoker, TestContext.Current.CancellationToken).WithDeadline();
        byte[] message = new byte[2000];
        byte[] back = new byte[message.Length];
        for (int i = 0; i < 100; i++)
        {
            Array.Fill(message, (byte)i);
            await webSocket.SendAsync(
                message.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, TestContext.Current.CancellationToken).WithDeadline();
            for (int received = 0; received < back.Length;)
            {
                received += (await webSocket.ReceiveAsync(back.AsMemory(received), TestContext.Current.CancellationToken).WithDeadline()).Count;
            }

            Assert.Equal(message, back);
        }

        await webSocket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken).WithDeadline();
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using WebSocket webSocket = await context.WebSockets.AcceptWebSocketAsync();
        byte[] buffer = new byte[4096];
        while (true)
        {
            ValueWebSocketReceiveResult piece = await webSocket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
            if (piece.MessageType == WebSocketMessageType.Close)
            {
                await webSocket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                return;
            }

            await webSocket.SendAsync(buffer.AsMemory(0, piece.Count), piece.MessageType, piece.EndOfMessage, context.RequestAborted);
        }
    }
}
