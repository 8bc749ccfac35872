using System.Net;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>A server that stops finishes what it has begun, says so, and then ends in order.</summary>
public sealed class GracefulStopTests
{
    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-32"), Contract("K-33"), Contract("K-64")]
    public async Task Stop_WithHttp1RequestsInHand_AnswersSayTheyAreTheLastAndFinFollows(LoopBridgeMode mode, LoopDriver driver)
    {
        var gate = new Gate();
        await using LoopBridgeServer server = await StartAsync(mode, driver, gate, HttpProtocols.Http1);
        HttpWire[] clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => HttpWire.ConnectAsync(server.EndPoint())));
        Task<WireAnswer>[] answers = [.. clients.Select(client => client.GetAsync("/wait"))];
        await gate.WaitForEnteredAsync(clients.Length);

        Task stop = server.App.StopAsync(CancellationToken.None);
        await gate.WaitForAskedToCloseAsync(clients.Length);
        gate.Open();

        foreach (WireAnswer answer in await Task.WhenAll(answers).WithDeadline())
        {
            Assert.Equal(StatusCodes.Status200OK, answer.Status);
            Assert.Equal(Gate.Answer, answer.Text);
            Assert.True(answer.IsLast, "The last answer does not say that it is.");
        }

        foreach (HttpWire client in clients)
        {
            await client.AssertEndAsync();
            client.Dispose();
        }

        await stop.WithDeadline();
        AssertQuiet(server);
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-96"), Contract("K-32")]
    public async Task Stop_WithHttp2StreamsInHand_GoAwayThenAnswersThenFin(LoopBridgeMode mode, LoopDriver driver)
    {
        int[] streams = [1, 3, 5, 7];
        var gate = new Gate();
        await using LoopBridgeServer server = await StartAsync(mode, driver, gate, HttpProtocols.Http2);
        using Http2Wire client = await Http2Wire.ConnectAsync(server.EndPoint());
        foreach (int stream in streams)
        {
            await client.GetAsync(stream, "/wait");
        }

        await gate.WaitForEnteredAsync(streams.Length);
        Task stop = server.App.StopAsync(CancellationToken.None);

        // The first GOAWAY lets streams on their way come in (RFC 9113, 6.8): nothing has been answered at that time.
        Http2Frame goAway = (await client.ReceiveAsync())!;
        Assert.Equal(Http2FrameType.GoAway, goAway.Type);
        Assert.Equal(int.MaxValue, goAway.LastStreamId);
        gate.Open();
        var ended = new HashSet<int>();
        while (ended.Count < streams.Length)
        {
            Http2Frame frame = (await client.ReceiveAsync())!;
            Assert.NotEqual(Http2FrameType.ResetStream, frame.Type);
            if (frame.EndsStream)
            {
                Assert.True(ended.Add(frame.StreamId));
            }
        }

        // As a client does that has been told to go: Kestrel's heartbeat has stopped by now, and with it what would look again by itself.
        client.FinishSending();
        while (await client.ReceiveAsync() is { } frame)
        {
            Assert.Equal(Http2FrameType.GoAway, frame.Type);
            Assert.Equal(streams[^1], frame.LastStreamId);
        }

        await stop.WithDeadline();
        AssertQuiet(server);
        Assert.Single(server.Logs.Entries, entry => entry.Id.Name == "ConnectionReadFin");
        Assert.Single(server.Logs.Entries, entry => entry.Id.Name == "ConnectionWriteFin");
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-96")]
    public async Task ClientGoesAway_AfterItsStreams_BothFinsAreLogged(LoopBridgeMode mode, LoopDriver driver)
    {
        var gate = new Gate();
        gate.Open();
        await using LoopBridgeServer server = await StartAsync(mode, driver, gate, HttpProtocols.Http2);
        using (Http2Wire client = await Http2Wire.ConnectAsync(server.EndPoint()))
        {
            await client.GetAsync(1, "/wait");
            while (await client.ReceiveAsync() is { EndsStream: false })
            {
            }
        }

        Assert.True(
            SpinWait.SpinUntil(
                () => OfConnection(server, "ConnectionReadFin") == 1 && OfConnection(server, "ConnectionWriteFin") == 1, Deadline.Default),
            string.Join('\n', server.Logs.Entries));
        AssertQuiet(server);
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-96"), Contract("K-32"), Contract("K-70"), Contract("K-91")]
    public async Task Stop_NotInTime_AbortsWhatIsLeft(LoopBridgeMode mode, LoopDriver driver)
    {
        var gate = new Gate();
        await using LoopBridgeServer server = await StartAsync(mode, driver, gate, HttpProtocols.Http2);
        using var meters = new MeterRecorder(server.Services, "Microsoft.AspNetCore.Server.Kestrel");
        using Http2Wire client = await Http2Wire.ConnectAsync(server.EndPoint());
        await client.GetAsync(1, "/wait");
        await gate.WaitForEnteredAsync(1);

        await server.App.StopAsync(new CancellationToken(canceled: true)).WithDeadline();

        // GOAWAY may still come; then the connection is broken off, and its request with it.
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await client.ReceiveAsync() is not null)
            {
            }

            throw new IOException("It ended in order, which no client takes for an answer either.");
        });
        await gate.Aborted.WithDeadline();
        gate.Open();
        Assert.Equal("app_shutdown_timeout", meters.WaitFor("kestrel.connection.duration", 1)[0]["error.type"]);
    }

    private static Task<LoopBridgeServer> StartAsync(LoopBridgeMode mode, LoopDriver driver, Gate gate, HttpProtocols protocols)
        => LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                listen.Use(next => connection =>
                {
                    // Registered before HTTP's own callback, and therefore called after it: by then HTTP knows.
                    CancellationToken asked = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
                    asked.Register(gate.CountAskedToClose);
                    return next(connection);
                });
            }),
            app => app.MapGet("/wait", gate.AnswerAsync));

    private static int OfConnection(LoopBridgeServer server, string eventName)
        => server.Logs.Entries.Count(entry => entry.Category == "LoopBridge.Transport" && entry.Id.Name == eventName);

    private static void AssertQuiet(LoopBridgeServer server)
    {
        Assert.DoesNotContain(server.Logs.Entries, entry => entry.Id.Name == "ConnectionWriteRst");
        Assert.DoesNotContain(server.Logs.Entries, entry => entry.Category == "LoopBridge.Transport" && entry.Level > LogLevel.Debug);
        Assert.Empty(server.Logs.AtLeast(LogLevel.Warning));
    }

    /// <summary>Holds requests until the test lets them go.</summary>
    private sealed class Gate
    {
        internal const string Answer = "answered";

        private readonly SemaphoreSlim _entered = new(0);
        private readonly SemaphoreSlim _asked = new(0);
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Aborted => _aborted.Task;

        internal void Open() => _open.TrySetResult();

        internal void CountAskedToClose() => _asked.Release();

        internal async Task AnswerAsync(HttpContext context)
        {
            await using CancellationTokenRegistration registration = context.RequestAborted.Register(() => _aborted.TrySetResult());
            _entered.Release();
            await Task.WhenAny(_open.Task, _aborted.Task);
            if (!_aborted.Task.IsCompleted)
            {
                context.Response.ContentLength = Answer.Length;
                await context.Response.WriteAsync(Answer, CancellationToken.None);
            }
        }

        internal Task WaitForEnteredAsync(int count) => WaitAsync(_entered, count);

        internal Task WaitForAskedToCloseAsync(int count) => WaitAsync(_asked, count);

        private static async Task WaitAsync(SemaphoreSlim counter, int count)
        {
            for (int i = 0; i < count; i++)
            {
                Assert.True(await counter.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken), $"Only {i} of {count}.");
            }
        }
    }
}
