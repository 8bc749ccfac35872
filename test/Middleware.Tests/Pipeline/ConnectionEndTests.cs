using System.Net;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>
/// What Kestrel concludes from how we end a connection: the <c>error.type</c> of its duration. Every expectation here is shown to hold over
/// stock sockets, too.
/// </summary>
public sealed class ConnectionEndTests
{
    private const string Duration = "kestrel.connection.duration";

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-91"), Contract("K-55"), Contract("K-70"), Contract("K-89")]
    public Task Duration_OfEachEnding_TellsItsError(LoopBridgeMode mode, LoopDriver driver)
        => CheckEndingsAsync(mode, driver, enabled: true);

    [Fact]
    public Task Duration_OverStockSockets_IsTheReference()
        => CheckEndingsAsync(LoopBridgeMode.ReactorOnLoop, LoopDriver.Auto, enabled: false);

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-91"), Contract("K-61"), Contract("K-57")]
    public Task Duration_OfALimitInTime_TellsWhichOne(LoopBridgeMode mode, LoopDriver driver)
        => CheckTimeLimitsAsync(mode, driver, enabled: true);

    [Fact]
    public Task TimeLimits_OverStockSockets_AreTheReference()
        => CheckTimeLimitsAsync(LoopBridgeMode.ReactorOnLoop, LoopDriver.Auto, enabled: false);

    private static async Task CheckEndingsAsync(LoopBridgeMode mode, LoopDriver driver, bool enabled)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, enabled, static _ => { });
        using var meters = new MeterRecorder(server.Services, "Microsoft.AspNetCore.Server.Kestrel");

        await ExpectAsync(null, static _ => Task.CompletedTask); // FIN before anything
        await ExpectAsync(null, static client => client.GetAsync("/")); // FIN on an idle connection
        await ExpectAsync(null, client => client.GetAsync("/", "Connection: close\r\n"));
        await ExpectAsync(null, async client =>
        {
            await client.GetAsync("/");
            client.Reset(); // between requests Kestrel takes it for an end like any other
        });
        await ExpectOneOfAsync([null, "connection_reset"], async client =>
        {
            // The failing read and the token are on their way to two threads, over stock sockets as over ours: the first names the end.
            await client.SendAsync("POST /count HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n");
            Assert.Equal(100, (await client.ReceiveAnswerAsync())?.Status); // the handler reads the body
            await client.SendAsync("half");
            client.Reset();
        });
        await ExpectAsync("aborted_by_app", async client =>
        {
            await client.SendAsync("GET /abort HTTP/1.1\r\nHost: x\r\n\r\n");
            await Assert.ThrowsAsync<IOException>(client.ReceiveAnswerAsync);
        });
        await ExpectAsync("invalid_request_line", async client =>
        {
            await client.SendAsync("rubbish\r\n\r\n");
            Assert.Equal(400, (await client.ReceiveAnswerAsync())?.Status);
        });
        await ExpectAsync("error_after_starting_response", async client =>
        {
            server.Expect(entry => entry.Exception?.Message == "in mid-answer");
            await client.SendAsync("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
            await Assert.ThrowsAnyAsync<IOException>(client.ReceiveAnswerAsync);
        });

        Task ExpectAsync(string? error, Func<HttpWire, Task> end) => ExpectOneOfAsync([error], end);

        async Task ExpectOneOfAsync(string?[] errors, Func<HttpWire, Task> end)
        {
            int before = meters.Of(Duration).Count;
            using (HttpWire client = await HttpWire.ConnectAsync(server.EndPoint()))
            {
                await end(client);
            }

            Assert.Contains((string?)meters.WaitFor(Duration, before + 1)[before]["error.type"], errors);
        }
    }

    // A server for each limit, with the others as Kestrel has them: a client that is slow on a slow machine then runs into its own limit alone.
    private static Task CheckTimeLimitsAsync(LoopBridgeMode mode, LoopDriver driver, bool enabled)
    {
        // Kestrel looks at its clock once a second, and takes no grace below that.
        TimeSpan grace = TimeSpan.FromSeconds(1.1);
        return Task.WhenAll(
            CheckAsync("keep_alive_timeout", static limits => limits.KeepAliveTimeout = TimeSpan.FromSeconds(1), static async client =>
            {
                // The time before the first request counts, too.
                if (await Record.ExceptionAsync(() => client.GetAsync("/")) is null)
                {
                    await client.AssertEndAsync();
                }
            }),
            CheckAsync("request_headers_timeout", static limits => limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1), static async client =>
            {
                await client.SendAsync("GET / HTTP/1.1\r\nHo");
                Assert.Equal(StatusCodes.Status408RequestTimeout, (await client.ReceiveAnswerAsync())?.Status);
            }),
            CheckAsync(
                "min_request_body_data_rate",
                limits => limits.MinRequestBodyDataRate = new MinDataRate(1_000_000, grace),
                static client => client.SendAsync("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")),
            CheckAsync(
                "min_response_data_rate",
                limits => limits.MinResponseDataRate = new MinDataRate(1_000_000_000, grace),
                static client => client.SendAsync("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")));

        async Task CheckAsync(string error, Action<KestrelServerLimits> limit, Func<HttpWire, Task> use)
        {
            await using LoopBridgeServer server = await StartAsync(mode, driver, enabled, limit);
            using var meters = new MeterRecorder(server.Services, "Microsoft.AspNetCore.Server.Kestrel");

            // The handler lets it through to Kestrel.
            server.Expect(entry => entry.Exception is Microsoft.AspNetCore.Http.BadHttpRequestException);
            using HttpWire client = await HttpWire.ConnectAsync(server.EndPoint());
            await use(client);
            Assert.Equal(error, (string?)Assert.Single(meters.WaitFor(Duration, 1))["error.type"]);
            Assert.DoesNotContain(
                server.Logs.AtLeast(LogLevel.Warning), entry => entry.Category.StartsWith("LoopBridge", StringComparison.Ordinal));
        }
    }

    private static Task<LoopBridgeServer> StartAsync(
        LoopBridgeMode mode, LoopDriver driver, bool enabled, Action<KestrelServerLimits> limit)
        => LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                limit(kestrel.Limits);
                kestrel.Listen(IPAddress.Loopback, 0);
            },
            app =>
            {
                app.MapGet("/", () => "hello");
                app.MapGet("/large", () => Results.Bytes(new byte[32 * 1024 * 1024])); // more than any kernel holds
                app.MapGet("/abort", static context =>
                {
                    context.Abort();
                    return Task.CompletedTask;
                });
                app.MapGet("/throw", static async context =>
                {
                    context.Response.ContentLength = 100;
                    await context.Response.Body.WriteAsync(new byte[10]);
                    await context.Response.Body.FlushAsync();
                    throw new InvalidOperationException("in mid-answer");
                });
                app.MapPost("/count", static async (HttpContext context) =>
                {
                    try
                    {
                        await context.Request.Body.CopyToAsync(Stream.Null);
                    }
                    catch (ConnectionResetException)
                    {
                        // Expected. What Kestrel says of a handler that lets it through depends on whether the token has fired by then.
                        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                        await using CancellationTokenRegistration registration = context.RequestAborted.Register(aborted.SetResult);
                        await aborted.Task;
                        context.RequestAborted.ThrowIfCancellationRequested();
                    }
                });
            },
            options: options => options.Enabled = enabled);
}
