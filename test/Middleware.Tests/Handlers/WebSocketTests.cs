using System.Net;
using System.Net.WebSockets;
using System.Text;
using LoopBridge.Protocols;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Handlers;

/// <summary>What only WebSockets have: kinds of messages, goodbyes, and plain requests that are none.</summary>
public sealed class WebSocketTests
{
    [Theory]
    [InlineData(WebSocketMessageType.Text, LoopBridgeMode.ReactorOnLoop)]
    [InlineData(WebSocketMessageType.Text, LoopBridgeMode.LoopOnReactor)]
    [InlineData(WebSocketMessageType.Binary, LoopBridgeMode.ReactorOnLoop)]
    [InlineData(WebSocketMessageType.Binary, LoopBridgeMode.LoopOnReactor)]
    public async Task Echo_OfAMessage_ComesBackInItsKind(WebSocketMessageType type, LoopBridgeMode mode)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.WebSocket, Style.Reactor, mode, LoopDriver.Auto);
        using ClientWebSocket client = await ConnectAsync(server);
        await SendAsync(client, "grüße"u8.ToArray(), type);

        (byte[] bytes, WebSocketMessageType kind) = await ReceiveAsync(client, "grüße"u8.Length, kind: type);

        Assert.Equal(type, kind);
        Assert.Equal("grüße"u8.ToArray(), bytes);
        await CloseAsync(client);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Echo_OfTextCutInTheMiddleOfCharacters_IsWholeTextAgain(LoopBridgeMode mode)
    {
        byte[] text = Encoding.UTF8.GetBytes("aé€😀z");
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.WebSocket, Style.Reactor, mode, LoopDriver.Auto);
        using ClientWebSocket client = await ConnectAsync(server);

        // Fragments of one message may be cut anywhere (RFC 6455, 5.4); each is a piece of the stream.
        for (int i = 0; i < text.Length; i++)
        {
            await client.SendAsync(text.AsMemory(i, 1), WebSocketMessageType.Text, i == text.Length - 1,
                TestContext.Current.CancellationToken).WithDeadline();
        }

        (byte[] bytes, _) = await ReceiveAsync(client, text.Length, kind: WebSocketMessageType.Text);
        Assert.Equal(text, bytes);
        await CloseAsync(client);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Echo_OfLongTextOfWideCharacters_StaysText(LoopBridgeMode mode)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("€", 30_000)));
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.WebSocket, Style.Reactor, mode, LoopDriver.Auto);
        using ClientWebSocket client = await ConnectAsync(server);

        Task<(byte[] Bytes, WebSocketMessageType Kind)> received = ReceiveAsync(client, text.Length, kind: WebSocketMessageType.Text);
        await SendAsync(client, text, WebSocketMessageType.Text);

        Assert.Equal(text, (await received).Bytes);
        await CloseAsync(client);
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Goodbye_AfterHalfACharacter_LosesNoByte(LoopBridgeMode mode)
    {
        await using LoopBridgeServer server = await StartAsync<HalfCharacterProtocol>(mode);
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{server.EndPoint()}/ws"), TestContext.Current.CancellationToken).WithDeadline();
        await SendAsync(client, "x"u8.ToArray(), WebSocketMessageType.Text);

        using var stream = WebSocketStream.Create(client, WebSocketMessageType.Text, ownsWebSocket: true);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, TestContext.Current.CancellationToken).WithDeadline();

        Assert.Equal(HalfCharacterProtocol.Answer, all.ToArray());
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Goodbye_ThatTheClientDoesNotAnswer_EndsTheConnectionAllTheSame(LoopBridgeMode mode)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(
            Carrier.WebSocket, Style.Reactor, mode, LoopDriver.Auto, Act.Goodbye);
        using ClientWebSocket client = await ConnectAsync(server);

        await SendAsync(client, new byte[1], WebSocketMessageType.Binary);

        await (await server.Probe.First.WithDeadline()).Disposed.WithDeadline();
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task PlainGet_OfAProtocol_IsToldToUpgrade(LoopBridgeMode mode)
    {
        await using HandlerServer server = await HandlerServer.StartAsync(Carrier.WebSocket, Style.Reactor, mode, LoopDriver.Auto);
        using var client = new HttpClient();

        using HttpResponseMessage answer = await client.GetAsync(new Uri($"http://{server.Server.EndPoint()}/probe"),
            TestContext.Current.CancellationToken).WithDeadline();

        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
        Assert.Equal("websocket", answer.Headers.Upgrade.Single().Name);
        Assert.Contains("Upgrade", answer.Headers.Connection);
    }

    private static Task<LoopBridgeServer> StartAsync<TProtocol>(LoopBridgeMode mode)
        where TProtocol : Protocol
        => LoopBridgeServer.StartAsync(
            mode,
            LoopDriver.Auto,
            app: app =>
            {
                app.UseLoopBridge();
                app.MapReactorProtocol<TProtocol>("/ws");
            },
            services: services => services.AddReactorProtocol<TProtocol>());

    private static async Task<ClientWebSocket> ConnectAsync(HandlerServer server)
    {
        var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{server.Server.EndPoint()}/probe"), TestContext.Current.CancellationToken).WithDeadline();
        return client;
    }

    private static Task SendAsync(ClientWebSocket client, byte[] data, WebSocketMessageType type)
        => client.SendAsync(data, type, endOfMessage: true, TestContext.Current.CancellationToken).WithDeadline();

    // Asserts of every piece that it is of the kind. The client checks by itself that text is UTF-8, message by message.
    private static async Task<(byte[] Bytes, WebSocketMessageType Kind)> ReceiveAsync(ClientWebSocket client, int count,
        WebSocketMessageType kind)
    {
        byte[] bytes = new byte[count];
        int received = 0;
        while (received < count)
        {
            ValueWebSocketReceiveResult piece = await client.ReceiveAsync(bytes.AsMemory(received),
                TestContext.Current.CancellationToken).WithDeadline();
            Assert.Equal(kind, piece.MessageType);
            received += piece.Count;
        }

        return (bytes, kind);
    }

    private static Task CloseAsync(ClientWebSocket client)
        => client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken).WithDeadline();

    /// <summary>Says the first half of a character, and goodbye.</summary>
    private sealed class HalfCharacterProtocol : Protocol
    {
        internal static readonly byte[] Answer = [(byte)'e', 0xE2, 0x82];

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            Transport.Write(Answer);
            Transport.LoseConnection();
        }
    }
}
