using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>What HTTP and the log tell of a connection.</summary>
public sealed class AddressAndLogTests
{
    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-95")]
    public async Task Addresses_OfIpAndUnixConnections_AreThoseOrNull(LoopBridgeMode mode, LoopDriver driver)
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0);
                kestrel.ListenUnixSocket(path);
            },
            app => app.MapGet("/", (HttpContext context) =>
            {
                ConnectionInfo connection = context.Connection;
                return $"{connection.LocalIpAddress}:{connection.LocalPort} {connection.RemoteIpAddress}:{connection.RemotePort}";
            }));
        using HttpWire ip = await HttpWire.ConnectAsync(server.EndPoint());
        using HttpWire unix = await HttpWire.ConnectAsync(new UnixDomainSocketEndPoint(path));

        Assert.Equal($"{server.EndPoint()} {ip.Socket.LocalEndPoint}", (await ip.GetAsync("/")).Text);
        Assert.Equal(":0 :0", (await unix.GetAsync("/")).Text);
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-85"), Contract("K-86"), Contract("K-87"), Contract("K-88")]
    public async Task Connections_EndedInEachWay_AreLoggedOnceByEachSideAndNeverAboveDebug(LoopBridgeMode mode, LoopDriver driver)
    {
        string[] beginnings =
        [
            "", "G", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
            "PRI * HTTP/2.0\r\n\r\nSM", "\u0016\u0003\u0001",
        ];
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            app: app =>
            {
                app.MapGet("/", () => "hello");
                app.MapPost("/upload", () => "not read");
            });
        int count = 0;
        foreach (string beginning in beginnings)
        {
            foreach (bool reset in (bool[])[false, true])
            {
                using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
                await client.SendAsync(beginning);
                if (reset)
                {
                    client.Reset();
                }

                count++;
            }
        }

        Assert.True(
            SpinWait.SpinUntil(() => Named(server, "ConnectionStop").Length == count, Deadline.Default),
            $"{Named(server, "ConnectionStop").Length} of {count} connections have ended.");
        await server.App.StopAsync(CancellationToken.None).WithDeadline();
        foreach (string kestrels in (string[])["ConnectionAccepted", "ConnectionStart", "ConnectionStop"])
        {
            LogEntry[] entries = Named(server, kestrels);
            Assert.All(entries, static entry => Assert.Equal("Microsoft.AspNetCore.Server.Kestrel.Connections", entry.Category));
            Assert.Equal(count, entries.Select(IdOf).Distinct().Count());
            Assert.Equal(count, entries.Length);
        }

        LogEntry[] ours = [.. server.Logs.Entries.Where(static entry => entry.Category == "LoopBridge.Transport")];
        Assert.All(ours, static entry => Assert.Equal(LogLevel.Debug, entry.Level));
        Assert.All(
            ours.GroupBy(static entry => (IdOf(entry), entry.Id.Name)),
            static group => Assert.True(group.Count() == 1, $"{group.Key} was logged {group.Count()} times."));
        Assert.Equal(0, ours.Count(static entry => entry.Id.Name == "ConnectionError"));
        Assert.Empty(server.Logs.AtLeast(LogLevel.Warning));
    }

    private static LogEntry[] Named(LoopBridgeServer server, string name) => [.. server.Logs.Entries.Where(entry => entry.Id.Name == name)];

    private static string IdOf(LogEntry entry) => entry.Message.Split('"')[1];
}
