using System.Net;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>
/// A server is stopped while many clients ask without pause. Every request that reached a handler is answered whole: begun and answered
/// are counted, and equal.
/// </summary>
public sealed class StopUnderLoadTests
{
    private const int AnswersBeforeStop = 400;

    [Theory, MemberData(nameof(Engines.AllSchedulings), MemberType = typeof(Engines))]
    [Contract("K-32"), Contract("K-33"), Contract("K-38"), Contract("K-64"), Contract("K-96")]
    public async Task Stop_UnderLoad_EveryRequestBegunIsAnsweredWhole(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        var load = new Load();
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel =>
            {
                kestrel.Limits.MinResponseDataRate = null; // clients that a loaded machine holds up for long are no reason to break off
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(TestCertificate.Localhost));
            },
            app => app.MapGet("/", load.HandleAsync),
            options: options => options.Scheduling = scheduling);
        using HttpClient http2 = TlsClients.Create();
        Task[] clients =
        [
            .. Enumerable.Range(0, 8).Select(_ => load.KeepAskingAsync(() => HttpWire.ConnectAsync(server.EndPoint()))),
            .. Enumerable.Range(0, 4).Select(
                _ => load.KeepAskingAsync(() => HttpWire.ConnectAsync(server.EndPoint()), "Connection: close\r\n")),
            .. Enumerable.Range(0, 4).Select(_ => load.KeepAskingAsync(() => HttpWire.ConnectTlsAsync(server.EndPoint(2)))),
            .. Enumerable.Range(0, 8).Select(_ => load.KeepAskingAsync(http2, server.Addresses[1])),
            .. Enumerable.Range(0, 4).Select(_ => load.KeepAskingAsync(http2, server.Addresses[2])),
        ];
        await load.WaitForAnswersAsync(AnswersBeforeStop);

        await server.App.StopAsync(CancellationToken.None).WithDeadline();

        await Task.WhenAll(clients).WithDeadline();
        Assert.Equal(load.Begun, load.Answered);

        // An HTTP/2 client that has all its answers may be gone before Kestrel has counted its streams as ended: over stock sockets, too. Or
        // before the last bytes for it (GOAWAY) could be sent: its kernel has reset the connection then.
        HashSet<string> resetByClient = [.. server.Logs.Entries.Where(static entry => entry.Id.Name == "ConnectionReset").Select(IdOf)];
        string[] resets = [.. server.Logs.Entries.Where(entry => entry.Id.Name == "ConnectionWriteRst"
            && !resetByClient.Contains(IdOf(entry))
            && !entry.Message.Contains("The client closed the connection.", StringComparison.Ordinal))
            .Select(static entry => entry.Message)];
        Assert.Empty(resets);
        Assert.DoesNotContain(server.Logs.Entries, entry => entry.Category == "LoopBridge.Transport" && entry.Level > LogLevel.Debug);
        Assert.Empty(server.Logs.AtLeast(LogLevel.Warning));
    }

    private static string IdOf(LogEntry entry) => entry.Message.Split('"')[1];

    /// <summary>Both ends of the load, and the two counts.</summary>
    private sealed class Load
    {
        private readonly byte[] _body = [.. Enumerable.Range(0, 100_000).Select(i => (byte)i)];
        private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _wanted = int.MaxValue;
        private int _begun;
        private int _answered;

        internal int Begun => Volatile.Read(ref _begun);

        internal int Answered => Volatile.Read(ref _answered);

        internal Task WaitForAnswersAsync(int count)
        {
            Volatile.Write(ref _wanted, count);
            return _enough.Task.WithDeadline();
        }

        /// <summary>Answers of very different sizes, in two pieces, some of them after a change of threads.</summary>
        internal async Task HandleAsync(HttpContext context)
        {
            int number = Interlocked.Increment(ref _begun);
            int size = number * 7919 % _body.Length;
            context.Response.ContentLength = size;
            await context.Response.Body.WriteAsync(_body.AsMemory(0, size / 2), CancellationToken.None);
            if (number % 3 == 0)
            {
                await Task.Yield();
            }

            await context.Response.Body.WriteAsync(_body.AsMemory(size / 2, size - (size / 2)), CancellationToken.None);
        }

        /// <summary>On one connection as long as it lasts, then on the next, until there is none.</summary>
        internal async Task KeepAskingAsync(Func<Task<HttpWire>> connect, string headers = "")
        {
            while (await TryAsync(connect) is { } client)
            {
                using (client)
                {
                    while (await TryAsync(() => AskAsync(client, headers)) is { } answer)
                    {
                        OnAnswer(answer.Status, answer.Body);
                        if (answer.IsLast)
                        {
                            await client.AssertEndAsync();
                            break;
                        }
                    }
                }
            }
        }

        internal async Task KeepAskingAsync(HttpClient client, Uri address)
        {
            while (await TryAsync(() => client.GetAsync(address, CancellationToken.None).WithDeadline()) is { } answer)
            {
                using (answer)
                {
                    OnAnswer((int)answer.StatusCode, await answer.Content.ReadAsByteArrayAsync(CancellationToken.None).WithDeadline());
                }
            }
        }

        private static async Task<WireAnswer?> AskAsync(HttpWire client, string headers)
        {
            await client.SendAsync($"GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
            return await client.ReceiveAnswerAsync();
        }

        // Refused, or closed before the server has begun: allowed, and told from an answer that was lost by the two counts.
        private static async Task<T?> TryAsync<T>(Func<Task<T>> action)
        {
            try
            {
                return await action();
            }
            catch (Exception e) when (e is IOException or HttpRequestException or System.Net.Sockets.SocketException)
            {
                return default;
            }
        }

        private void OnAnswer(int status, byte[] body)
        {
            Assert.Equal(StatusCodes.Status200OK, status);
            Assert.True(body.AsSpan().SequenceEqual(_body.AsSpan(0, body.Length)));
            if (Interlocked.Increment(ref _answered) >= Volatile.Read(ref _wanted))
            {
                _enough.TrySetResult();
            }
        }
    }
}
