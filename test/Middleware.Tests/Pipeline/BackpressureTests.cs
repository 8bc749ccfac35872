using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>
/// Who does not read stops who writes, through TLS and through the frames of HTTP/2 as well: what lies between them stays small, and goes on
/// when there is room again.
/// </summary>
/// <remarks>
/// The kernel's buffers are kept from growing, so that what lies between is known; but several times the 64 KiB of a segment of the loopback,
/// because a window below that opens only by a timer.
/// </remarks>
public sealed class BackpressureTests
{
    private const int Total = 16 * 1024 * 1024;
    private const int Piece = 16 * 1024;
    private const int KernelBuffer = 256 * 1024;
    private const int ReadLimit = 64 * 1024;

    // The transport's and Kestrel's buffers of 64 KiB each, those of TLS, HTTP/2's first window of 768 KiB, and four of the kernel, which
    // takes each to be twice what it is told (socket(7)).
    private const int Between = 4 * 1024 * 1024;

    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _moved;

    [Theory, MemberData(nameof(Engines.AllSchedulings), MemberType = typeof(Engines))]
    [Contract("K-61"), Contract("K-93")]
    public async Task Download_OverHttps_WaitsForTheReader(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpWire client = await HttpWire.ConnectTlsAsync(server.EndPoint(0));
        client.Socket.ReceiveBufferSize = KernelBuffer;
        await client.SendAsync("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
        await StopsAsync(server);

        WireAnswer answer = await client.ReceiveAnswerAsync() ?? throw new EndOfStreamException();
        AssertPattern(answer.Body);
        await _ended.Task.WithDeadline();
    }

    // The windows of HTTP/2 are as wide as can be: it is the connection that is full.
    [Theory, MemberData(nameof(Engines.AllSchedulings), MemberType = typeof(Engines))]
    [Contract("K-61")]
    public async Task Download_OverHttp2WithWideWindows_WaitsForTheReader(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using Http2Wire client = await Http2Wire.ConnectAsync(server.EndPoint(1));
        await WidenWindowsAsync(client);
        await client.GetAsync(1, "/endless");
        await StopsAsync(server);

        using var body = new MemoryStream();
        Http2Frame? frame;
        do
        {
            frame = await client.ReceiveAsync();
            Assert.NotNull(frame);
            Assert.True(frame.Type is Http2FrameType.Data or Http2FrameType.Headers, $"{frame.Type}");
            if (frame.Type == Http2FrameType.Data)
            {
                body.Write(frame.Payload);
            }
        }
        while (!frame.EndsStream);
        AssertPattern(body.ToArray());
        await _ended.Task.WithDeadline();
    }

    [Theory, MemberData(nameof(Engines.AllSchedulings), MemberType = typeof(Engines))]
    [Contract("K-50"), Contract("K-93")]
    public async Task Upload_OverHttps_WaitsForTheHandler(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpWire client = await HttpWire.ConnectTlsAsync(server.EndPoint(0));
        client.Socket.SendBufferSize = KernelBuffer;
        Task sending = SendBodyAsync(client, "/upload");
        await StopsAsync(server);
        Assert.False(sending.IsCompleted);
        Assert.Contains(server.Logs.Entries, static entry => entry.Id.Name == "ConnectionPause");

        _released.SetResult();
        await sending.WithDeadline();
        Assert.Equal($"{Total}", (await client.ReceiveAnswerAsync())?.Text);
    }

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Upload_OverHttp2_WaitsForTheHandler(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, LoopScheduling.Adaptive);
        using var client = new HttpClient { Timeout = Deadline.Default };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Addresses[1], "upload"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new PatternContent(count => Interlocked.Add(ref _moved, count)),
        };
        Task<HttpResponseMessage> sending = client.SendAsync(request, TestContext.Current.CancellationToken);
        await StopsAsync(server);
        Assert.False(sending.IsCompleted);

        _released.SetResult();
        using HttpResponseMessage answer = await sending.WithDeadline();
        Assert.Equal($"{Total}", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WithDeadline());
    }

    // Full both ways, with TLS in between: reading alone sets everything going again.
    [Theory, MemberData(nameof(Engines.AllSchedulings), MemberType = typeof(Engines))]
    [Contract("K-50"), Contract("K-61"), Contract("K-93")]
    public async Task Echo_OverHttpsToWhoDoesNotRead_StopsBothWaysAndGoesOn(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using LoopBridgeServer server = await StartAsync(mode, driver, scheduling);
        using HttpWire client = await HttpWire.ConnectTlsAsync(server.EndPoint(0));
        client.Socket.SendBufferSize = KernelBuffer;
        client.Socket.ReceiveBufferSize = KernelBuffer;
        Task sending = SendBodyAsync(client, "/echo");
        await StopsAsync(server);
        Assert.False(sending.IsCompleted);

        WireAnswer? answer = await client.ReceiveAnswerAsync();
        await sending.WithDeadline();
        Assert.NotNull(answer);
        AssertPattern(answer.Body);
    }

    // While requests that come in one after the other are answered, nothing moves any more; and then it was little that did.
    private async Task StopsAsync(LoopBridgeServer server)
    {
        using HttpWire other = await HttpWire.ConnectAsync(server.EndPoint(2));
        long begun = Stopwatch.GetTimestamp();
        long last = 0;
        for (int answered = 0; answered < 100; answered++)
        {
            Assert.Equal("hello", (await other.GetAsync("/hello")).Text);
            long moved = Interlocked.Read(ref _moved);
            answered = moved > last || moved == 0 ? 0 : answered;
            last = moved;
            Assert.InRange(last, 0, Between);
            Assert.True(Stopwatch.GetElapsedTime(begun) < Deadline.Default, $"It moves and moves: {last}.");
        }

        Assert.False(_ended.Task.IsCompleted);
    }

    private async Task SendBodyAsync(HttpWire client, string path)
    {
        await client.SendAsync($"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {Total}\r\n\r\n");
        for (int position = 0; position < Total; position += Piece)
        {
            await client.SendAsync(Pattern(position));
            Interlocked.Add(ref _moved, Piece);
        }
    }

    private static async Task WidenWindowsAsync(Http2Wire client)
    {
        // RFC 9113, 6.5.2: SETTINGS_INITIAL_WINDOW_SIZE; 6.9: the connection's own window is 65 535 at first.
        byte[] setting = [0, 4, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(setting.AsSpan(2), int.MaxValue);
        await client.SendAsync(Http2FrameType.Settings, 0, 0, setting);
        byte[] increment = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(increment, int.MaxValue - 65_535);
        await client.SendAsync(Http2FrameType.WindowUpdate, 0, 0, increment);
    }

    private static byte[] Pattern(int position)
    {
        byte[] piece = new byte[Piece];
        for (int i = 0; i < piece.Length; i += sizeof(int))
        {
            BinaryPrimitives.WriteInt32BigEndian(piece.AsSpan(i), position + i);
        }

        return piece;
    }

    private static void AssertPattern(byte[] bytes)
    {
        Assert.Equal(Total, bytes.Length);
        for (int position = 0; position < Total; position += Piece)
        {
            Assert.True(bytes.AsSpan(position, Piece).SequenceEqual(Pattern(position)), $"At {position} there is something else.");
        }
    }

    private Task<LoopBridgeServer> StartAsync(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling) => LoopBridgeServer.StartAsync(
        mode,
        driver,
        kestrel =>
        {
            // A test may take longer than Kestrel lets a peer be slow.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(MakeSmall);
                listen.UseHttps(TestCertificate.Localhost);
            });
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(MakeSmall);
            });
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1);
        },
        app =>
        {
            app.MapGet("/hello", static () => "hello");
            app.MapGet("/endless", WriteAsync);
            app.MapPost("/upload", ReadAsync);
            app.MapPost("/echo", EchoAsync);
        },
        options: options =>
        {
            options.LoopCount = 1; // the one that answers /hello is the one that is full
            options.Scheduling = scheduling;
            options.MaxReadBufferSize = ReadLimit;
        });

    private static ConnectionDelegate MakeSmall(ConnectionDelegate next) => connection =>
    {
        Socket socket = connection.Features.Get<IConnectionSocketFeature>()!.Socket;
        socket.SendBufferSize = KernelBuffer;
        socket.ReceiveBufferSize = KernelBuffer;
        return next(connection);
    };

    private async Task WriteAsync(HttpContext context)
    {
        context.Response.ContentLength = Total;
        for (int position = 0; position < Total; position += Piece)
        {
            await context.Response.Body.WriteAsync(Pattern(position), context.RequestAborted);
            Interlocked.Add(ref _moved, Piece);
        }

        _ended.SetResult();
    }

    private async Task ReadAsync(HttpContext context)
    {
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = null;
        await _released.Task;
        byte[] buffer = new byte[Piece];
        long total = 0;
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is int count and > 0)
        {
            total += count;
        }

        await context.Response.WriteAsync($"{total}", CancellationToken.None);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        context.Response.ContentLength = context.Request.ContentLength;
        await context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private sealed class PatternContent(Action<int> taken) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (int position = 0; position < Total; position += Piece)
            {
                await stream.WriteAsync(Pattern(position));
                taken(Piece);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = Total;
            return true;
        }
    }
}
