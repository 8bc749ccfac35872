using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class Http2AndTlsTests
{
    private const int Size = 1024 * 1024;

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-93"), Contract("K-65")]
    public async Task Http2_PriorKnowledge_ConcurrentStreamsOnOneConnection(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, HttpProtocols.Http2, tls: false);
        await RunStreamsAsync(server, HttpVersion.Version20);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-93")]
    public async Task Https_Http2_ConcurrentStreamsOnOneConnection(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, HttpProtocols.Http1AndHttp2, tls: true);
        await RunStreamsAsync(server, HttpVersion.Version20);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-93")]
    public async Task Https_Http1_ConcurrentConnections(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, HttpProtocols.Http1AndHttp2, tls: true);
        await RunStreamsAsync(server, HttpVersion.Version11);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-93"), Contract("K-87")]
    public async Task Https_ClientGoesInMidHandshake_IsNoError(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, HttpProtocols.Http1AndHttp2, tls: true);
        foreach (bool reset in new[] { false, true })
        {
            Socket client = TransportHost.Dial(server.EndPoint());
            await client.SendAllAsync(new byte[] { 22, 3, 1, 0, 200, 1 }); // the first bytes of a ClientHello
            if (reset)
            {
                client.Reset();
            }
            else
            {
                client.Dispose();
            }
        }

        using HttpClient healthy = HttpClients.Create();
        Assert.Equal("0", await healthy.GetTextAsync(new Uri(server.Addresses[0], "echo")));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-96"), Contract("K-64")]
    public async Task Http2_ServerStops_StreamsInFlightAreAnswered(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        var entered = new SemaphoreSlim(0);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        LoopBridgeServer server = await StartAsync(
            mode, driver, scheduling, HttpProtocols.Http2, tls: false, app => app.MapGet("/wait", async () =>
        {
            entered.Release();
            await goOn.Task;
            return "answered";
        }));
        using HttpClient client = HttpClients.Create();
        Task<string>[] answers = [.. Enumerable.Range(0, 10).Select(_ => client.GetTextAsync(new Uri(server.Addresses[0], "wait"), HttpVersion.Version20))];
        foreach (Task<string> _ in answers)
        {
            Assert.True(await entered.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken));
        }

        Task stop = server.DisposeAsync().AsTask();
        goOn.SetResult();
        Assert.All(await Task.WhenAll(answers).WithDeadline(), answer => Assert.Equal("answered", answer));
        await stop.WithDeadline();

        // A FIN, unless the client, which has all its answers, was gone before our last bytes (GOAWAY) could be sent.
        Assert.DoesNotContain(server.Logs.Entries, entry => entry.Id.Name == "ConnectionWriteRst"
            && !server.Logs.Entries.Any(static other => other.Id.Name == "ConnectionReset"));
    }

    private static async Task RunStreamsAsync(LoopBridgeServer server, Version version)
    {
        using HttpClient client = HttpClients.Create();
        byte[] body = new byte[Size];
        new Random(6).NextBytes(body);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ =>
        {
            using HttpRequestMessage request = HttpClients.Request(new Uri(server.Addresses[0], "echo"), version, HttpMethod.Post, new ByteArrayContent(body));
            using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken).WithDeadline();
            Assert.Equal(version, response.Version);
            byte[] back = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.True(back.AsSpan().SequenceEqual(body));
        })).WithDeadline();
    }

    private static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode,
        LoopDriver driver,
        LoopScheduling scheduling,
        HttpProtocols protocols,
        bool tls,
        Action<WebApplication>? app = null)
        => LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                if (tls)
                {
                    listen.UseHttps(HttpClients.Certificate);
                }
            }),
            built =>
            {
                built.MapGet("/echo", () => "0");
                built.MapPost("/echo", async (HttpContext context) =>
                {
                    using var body = new MemoryStream(); // all of it first: the client reads no answer before it has sent its request, and HTTP/2 has windows
                    await context.Request.Body.CopyToAsync(body);
                    await context.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length));
                });
                app?.Invoke(built);
            },
            options: o => o.Scheduling = scheduling);
}
