using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>Kestrel's own meter over our transport: its tags come from our endpoints, its errors from our exceptions.</summary>
public sealed class KestrelMeterTests
{
    private const string Active = "kestrel.active_connections";
    private const string Duration = "kestrel.connection.duration";

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-43"), Contract("K-89"), Contract("K-90")]
    public async Task Connections_OnEachKindOfEndPoint_CarryItsTagsAndReturnToZero(LoopBridgeMode mode, LoopDriver driver)
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0);
                kestrel.ListenUnixSocket(path);
                if (Socket.OSSupportsIPv6)
                {
                    kestrel.Listen(IPAddress.IPv6Loopback, 0);
                }
            },
            app => app.MapGet("/", () => "hello"));
        using var meters = new MeterRecorder(server.Services, "Microsoft.AspNetCore.Server.Kestrel");
        var expected = new List<string>();
        IPEndPoint ipv4 = server.EndPoint();
        await AskOnceAsync(ipv4);
        expected.Add($"network.transport=tcp network.type=ipv4 server.address=127.0.0.1 server.port={ipv4.Port}");
        await AskOnceAsync(new UnixDomainSocketEndPoint(path));
        expected.Add($"network.transport=unix server.address={path}");
        if (Socket.OSSupportsIPv6)
        {
            var ipv6 = new IPEndPoint(IPAddress.IPv6Loopback, server.Addresses[2].Port);
            await AskOnceAsync(ipv6);
            expected.Add($"network.transport=tcp network.type=ipv6 server.address=::1 server.port={ipv6.Port}");
        }

        await server.App.StopAsync(CancellationToken.None).WithDeadline();
        Dictionary<string, double> active = meters.LevelsOf(Active);
        Assert.Equal(expected.Order(), active.Keys.Order());
        Assert.All(active, level => Assert.Equal(0, level.Value));
        Assert.Equal(active.Keys.Order(), meters.LevelsOf("kestrel.queued_connections").Keys.Order());
        Assert.All(meters.LevelsOf("kestrel.queued_connections"), level => Assert.Equal(0, level.Value));
        Assert.Equal(
            expected.Select(tags => $"network.protocol.name=http network.protocol.version=1.1 {tags}").Order(),
            meters.Of(Duration).Select(measured => measured.AllTags).Order());
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-89"), Contract("K-30")]
    public async Task Connections_OverTheLimit_AreCountedAsRejected(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                kestrel.Limits.MaxConcurrentConnections = 1;
                kestrel.Listen(IPAddress.Loopback, 0);
            },
            app => app.MapGet("/", () => "hello"));
        using var meters = new MeterRecorder(server.Services, "Microsoft.AspNetCore.Server.Kestrel");
        using HttpWire first = await HttpWire.ConnectAsync(server.EndPoint());
        Assert.Equal(200, (await first.GetAsync("/", "Accept: text/plain\r\n")).Status);
        using HttpWire second = await HttpWire.ConnectAsync(server.EndPoint());

        await second.AssertEndAsync();

        Measured rejected = Assert.Single(meters.WaitFor("kestrel.rejected_connections", 1));
        Assert.Equal(1, rejected.Value);
        Assert.Equal("ipv4", rejected["network.type"]);
        Assert.Equal("max_concurrent_connections_exceeded", meters.WaitFor(Duration, 1)[0]["error.type"]);
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-89")]
    public async Task TlsHttp2AndUpgrades_WhenAllHaveEnded_AreCountedAndBackToZero(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Localhost));
                kestrel.Listen(IPAddress.Loopback, 0);
            },
            app =>
            {
                app.UseWebSockets();
                app.MapGet("/", () => "hello");
                app.Map("/ws", async (HttpContext context) =>
                {
                    using WebSocket webSocket = await context.WebSockets.AcceptWebSocketAsync();
                    await webSocket.ReceiveAsync(new byte[10].AsMemory(), CancellationToken.None);
                    await webSocket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                });
            });
        using var meters = new MeterRecorder(server.Services, "Microsoft.AspNetCore.Server.Kestrel");
        using (HttpClient client = TlsClients.Create())
        {
            Assert.Equal("hello", await client.GetStringAsync(server.Addresses[0], TestContext.Current.CancellationToken).WithDeadline());
        }

        using (var webSocket = new ClientWebSocket())
        {
            await webSocket.ConnectAsync(new Uri($"ws://{server.EndPoint(1)}/ws"), TestContext.Current.CancellationToken).WithDeadline();
            await webSocket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken).WithDeadline();
        }

        await server.App.StopAsync(CancellationToken.None).WithDeadline();
        string[] levels =
        [
            Active, "kestrel.queued_connections", "kestrel.active_tls_handshakes", "kestrel.upgraded_connections",
            "kestrel.queued_requests",
        ];
        foreach (string level in levels)
        {
            Assert.NotEmpty(meters.Of(level));
            Assert.All(meters.LevelsOf(level), at => Assert.Equal(0, at.Value));
        }

        Measured handshake = Assert.Single(meters.Of("kestrel.tls_handshake.duration"));
        Assert.StartsWith("1.", (string?)handshake["tls.protocol.version"], StringComparison.Ordinal);
        Assert.Null(handshake["error.type"]);
        Measured overTls = Assert.Single(meters.Of(Duration), measured => measured["tls.protocol.version"] is not null);
        Assert.Equal("2", overTls["network.protocol.version"]);
        Assert.Null(overTls["error.type"]);
    }

    private static async Task AskOnceAsync(EndPoint endPoint)
    {
        using HttpWire client = await HttpWire.ConnectAsync(endPoint);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        Assert.Equal(200, (await client.ReceiveAnswerAsync())?.Status);
    }
}
