using System.Net.WebSockets;
using System.Text;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>The sample without a socket: HTTP by the test server, raw protocols by memory.</summary>
public sealed class SampleOnTestServerTests
{
    [Theory, ClassData(typeof(Modes))]
    public async Task Http_EveryPath_Answers(LoopBridgeMode mode)
    {
        await using var factory = new SampleFactory(("LoopBridge:Mode", mode.ToString()));
        using HttpClient client = factory.CreateClient();

        await HttpSurface.CheckAsync(client, mode, OperatingSystem.IsLinux() ? "epoll" : "managed");

        Assert.Empty(factory.Logs.AtLeast(LogLevel.Error));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Echo_OverMemory_ComesBack(LoopBridgeMode mode)
    {
        await using var factory = new SampleFactory(("LoopBridge:Mode", mode.ToString()));
        await using Client client = Client.Memory(factory.Services.Connect("Echo"));

        await client.SendAsync("to and fro"u8.ToArray());
        await client.FinishSendingAsync();

        Assert.Equal("to and fro"u8.ToArray(), await client.ReceiveAllAsync());
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Greeter_OverMemory_GreetsEachLine(LoopBridgeMode mode)
    {
        await using var factory = new SampleFactory(("LoopBridge:Mode", mode.ToString()));
        await using Client client = Client.Memory(factory.Services.Connect("Greeter"));

        await client.SendAsync("Ada\r\nGrace\n"u8.ToArray());
        await client.FinishSendingAsync();

        string[] lines = Encoding.UTF8.GetString(await client.ReceiveAllAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Collection(
            lines,
            line => Assert.Equal("Hello, Ada!", line),
            line => Assert.EndsWith(" s since the last line.", line, StringComparison.Ordinal),
            line => Assert.Equal("Hello, Grace!", line),
            line => Assert.EndsWith(" s since the last line.", line, StringComparison.Ordinal));
    }

    [Theory, ClassData(typeof(Modes))]
    public async Task Chat_BetweenMemoryAndWebSocket_IsOneRoom(LoopBridgeMode mode)
    {
        await using var factory = new SampleFactory(("LoopBridge:Mode", mode.ToString()));
        await using Client ada = Client.Memory(factory.Services.Connect("Chat"));
        WebSocket webSocket = await factory.Server.CreateWebSocketClient()
            .ConnectAsync(new Uri("ws://localhost/ws/chat"), TestContext.Current.CancellationToken).WithDeadline();
        await using Stream grace = WebSocketStream.Create(webSocket, WebSocketMessageType.Text, ownsWebSocket: true);

        await ChatTalk.HoldAsync(ada.Stream, grace);
    }
}
