using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>
/// Calls as gRPC makes them: length-prefixed messages both ways on one HTTP/2 stream, each answered while the next is awaited, and the
/// outcome in a trailer. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
/// </summary>
public sealed class StreamingTests
{
    private const int Prefix = 5;

    [Theory, MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    [Contract("K-93"), Contract("K-65"), Contract("K-96")]
    public async Task Calls_BothWaysOnManyStreams_AreAnsweredMessageByMessage(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Localhost));
            },
            app => app.MapPost("/echo", EchoAsync));
        using HttpClient client = TlsClients.Create();

        await Task.WhenAll(server.Addresses.SelectMany(address => Enumerable.Range(0, 20).Select(
            number => CallAsync(client, new Uri(address, "echo"), number)))).WithDeadline();
    }

    // Sends a message only when the one before has come back: each must leave at once, in both directions.
    private static async Task CallAsync(HttpClient client, Uri address, int number)
    {
        using var content = new DuplexContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content, Version = HttpVersion.Version20 };
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using HttpResponseMessage response = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken).WithDeadline();
        await using Stream answers = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        Stream messages = await content.Messages.WithDeadline();
        var random = new Random(number);
        for (int i = 0; i < 10; i++)
        {
            byte[] message = new byte[Prefix + random.Next(i == 5 ? 200_000 : 200)];
            random.NextBytes(message.AsSpan(Prefix));
            message[0] = 0;
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), message.Length - Prefix);
            Task sent = SendAsync(messages, message);
            byte[] back = new byte[message.Length];
            await answers.ReadExactlyAsync(back, TestContext.Current.CancellationToken).WithDeadline();
            await sent.WithDeadline();
            Assert.True(back.AsSpan().SequenceEqual(message));
        }

        content.Complete();
        Assert.Equal(0, await answers.ReadAsync(new byte[1], TestContext.Current.CancellationToken).WithDeadline());
        Assert.Equal("0", Assert.Single(response.TrailingHeaders.GetValues("grpc-status")));
    }

    private static async Task SendAsync(Stream messages, byte[] message)
    {
        await messages.WriteAsync(message, TestContext.Current.CancellationToken);
        await messages.FlushAsync(TestContext.Current.CancellationToken);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        context.Response.DeclareTrailer("grpc-status");
        await context.Response.StartAsync(CancellationToken.None);
        await context.Response.BodyWriter.FlushAsync(CancellationToken.None); // the caller waits for the headers before its first message
        while (true)
        {
            ReadResult result = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
            foreach (ReadOnlyMemory<byte> piece in result.Buffer)
            {
                await context.Response.BodyWriter.WriteAsync(piece, context.RequestAborted);
            }

            context.Request.BodyReader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                context.Response.AppendTrailer("grpc-status", "0");
                return;
            }
        }
    }

    /// <summary>A request body that the test writes while it reads the answer.</summary>
    private sealed class DuplexContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _messages = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<Stream> Messages => _messages.Task;

        internal void Complete() => _complete.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync(); // the headers
            _messages.SetResult(stream);
            await _complete.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = -1;
            return false;
        }
    }
}
