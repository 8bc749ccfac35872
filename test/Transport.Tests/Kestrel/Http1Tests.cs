using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class Http1Tests
{
    private const int Large = 10 * 1024 * 1024;
    private const string OneRequest = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-28")]
    public async Task KeepAlive_ManyRequests_UseOneConnection(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpClient client = HttpClients.Create(connections: 1);
        var connections = new HashSet<string>();
        for (int i = 0; i < 20; i++)
        {
            connections.Add(await client.GetTextAsync(new Uri(server.Addresses[0], "connection")));
        }

        Assert.Single(connections);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-58"), Contract("K-63")]
    public async Task Pipelining_ManyRequestsInOnePacket_AreAnsweredInOrder(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using Socket client = TransportHost.Dial(server.EndPoint());
        var requests = new StringBuilder();
        for (int i = 0; i < 50; i++)
        {
            requests.Append(CultureInfo.InvariantCulture, $"GET /number/{i} HTTP/1.1\r\nHost: x\r\n{(i == 49 ? "Connection: close\r\n" : "")}\r\n");
        }

        await client.SendTextAsync(requests.ToString());
        string answers = await client.ReceiveTextToEndAsync();
        int position = 0;
        for (int i = 0; i < 50; i++)
        {
            position = answers.IndexOf($"<{i}>", position, StringComparison.Ordinal);
            Assert.True(position >= 0, $"Answer {i} is missing or out of order.");
        }
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-58")]
    public async Task Request_ByteByByte_IsAnswered(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using Socket client = TransportHost.Dial(server.EndPoint());
        client.NoDelay = true;
        foreach (char c in OneRequest)
        {
            await client.SendTextAsync(c.ToString());
        }

        Assert.Contains("200 OK", await client.ReceiveUntilAsync("hello\r\n0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-50"), Contract("K-63")]
    public async Task Upload_TenMegabytesChunked_ArrivesWhole(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpClient client = HttpClients.Create();
        using HttpRequestMessage request = HttpClients.Request(
            new Uri(server.Addresses[0], "count"), HttpVersion.Version11, HttpMethod.Post, new StreamContent(new MemoryStream(new byte[Large])));
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await client.SendAsync(request, TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal($"{Large}", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-61"), Contract("K-63")]
    public async Task Download_TenMegabytes_ArrivesWhole(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpClient client = HttpClients.Create();
        byte[] bytes = await client.GetByteArrayAsync(new Uri(server.Addresses[0], "large"), TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(Large, bytes.Length);
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal((byte)(i * 104_729), bytes[i * 104_729]));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-61")]
    public async Task Download_SlowReader_TheHandlerWaits(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        const int Piece = 256 * 1024;
        long written = 0;
        var allWritten = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, app => app.MapGet("/endless", async context =>
        {
            byte[] piece = new byte[Piece];
            for (int i = 0; i < 100; i++)
            {
                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
                Interlocked.Add(ref written, Piece);
            }

            allWritten.SetResult();
        }));
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("GET /endless HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        Assert.False(allWritten.Task.IsCompleted); // 25 MiB do not fit the kernel
        PipeExtensions.Eventually(() => Interlocked.Read(ref written) > 0, "Nothing was written.");
        Assert.InRange((await client.ReceiveToEndAsync()).Length, 100 * Piece, 100 * Piece + 10_000);
        await allWritten.Task.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    public async Task Expect100Continue_BodyAfterTheInterimAnswer_IsRead(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await client.ReceiveUntilAsync("\r\n\r\n"));
        await client.SendTextAsync("12345");
        Assert.EndsWith("\r\n\r\n5", Unchunked(await client.ReceiveTextToEndAsync()), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-74")]
    public async Task BodyNotRead_NextRequest_IsAnsweredOnTheSameConnection(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync($"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{new string('b', 100_000)}");
        Assert.Contains("200 OK", await client.ReceiveUntilAsync("hello\r\n0\r\n\r\n"), StringComparison.Ordinal);
        await client.SendTextAsync(OneRequest);
        Assert.Contains("200 OK", await client.ReceiveUntilAsync("hello\r\n0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-70")]
    public async Task Abort_ByTheHandlerInMidResponse_ResetsTheClient(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, app => app.MapGet("/abort", async context =>
        {
            await context.Response.WriteAsync("begun", CancellationToken.None);
            await context.Response.Body.FlushAsync(CancellationToken.None);
            context.Abort();
        }));
        using Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("GET /abort HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.AssertResetAsync();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-55"), Contract("K-87"), Contract("K-69")]
    public async Task ClientReset_InMidRequest_IsNoErrorAndTheHandlerLearns(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outcome = new TaskCompletionSource<(Exception? Error, bool Aborted)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, app => app.MapPost("/upload", async context =>
        {
            var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration registration = context.RequestAborted.Register(aborted.SetResult);
            reading.SetResult();
            Exception? error = await Record.ExceptionAsync(() => context.Request.Body.CopyToAsync(Stream.Null, CancellationToken.None));
            await aborted.Task.WithDeadline();
            outcome.SetResult((error, context.RequestAborted.IsCancellationRequested));
        }));
        Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
        await reading.Task.WithDeadline();
        client.Reset();
        (Exception? error, bool aborted) = await outcome.Task.WithDeadline();
        Assert.IsAssignableFrom<IOException>(error);
        Assert.True(aborted);
        Assert.DoesNotContain(server.Logs.Entries, entry => entry.Category == "LoopBridge.Transport" && entry.Level > LogLevel.Debug);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-62"), Contract("K-53")]
    public async Task ClientReset_HandlerBlockedInAWrite_IsReleased(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling, app => app.MapGet("/endless", async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(new byte[100_000], CancellationToken.None);
            }

            ended.SetResult();
        }));
        Socket client = TransportHost.Dial(server.EndPoint());
        await client.SendTextAsync("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.ReceiveExactlyAsync(1000);
        client.Reset();
        await ended.Task.WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-81"), Contract("K-82")]
    public async Task Requests_CheckingPool_AllBlocksComeBack(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        var pools = new CheckingPools();
        await using (LoopBridgeServer server = await StartAsync(mode, driver, scheduling, pools: pools))
        {
            using HttpClient client = HttpClients.Create();
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.GetTextAsync(new Uri(server.Addresses[0], "hello"))));
        }

        Assert.True(pools.Rented > 0);
        PipeExtensions.Eventually(() => pools.Outstanding == 0, "Blocks did not come back.");
        Assert.All(pools.Owners, owner => Assert.Equal("kestrel", owner));
    }

    private static string Unchunked(string answer) => answer.Replace("\r\n1\r\n5\r\n0\r\n\r\n", "\r\n5", StringComparison.Ordinal);

    private static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling, Action<WebApplication>? app = null, CheckingPools? pools = null)
        => LoopBridgeServer.StartAsync(
            mode,
            driver,
            services: pools is null ? null : services => services.Add(new(typeof(IMemoryPoolFactory<byte>), pools)),
            options: o => o.Scheduling = scheduling,
            app: built =>
            {
                built.MapMethods("/hello", ["GET", "POST"], () => "hello");
                built.MapGet("/connection", (HttpContext context) => context.Connection.Id);
                built.MapGet("/number/{n}", (int n) => $"<{n}>");
                built.MapGet("/large", () => Results.Bytes([.. Enumerable.Range(0, Large).Select(i => (byte)i)]));
                built.MapPost("/count", async (HttpContext context) =>
                {
                    long count = 0;
                    byte[] buffer = new byte[16384];
                    while (await context.Request.Body.ReadAsync(buffer) is int read and > 0)
                    {
                        count += read;
                    }

                    await context.Response.WriteAsync($"{count}");
                });
                app?.Invoke(built);
            });
}
