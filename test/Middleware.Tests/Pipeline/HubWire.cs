using System.Net.WebSockets;
using System.Text;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>What carries a hub's records: bytes there and back, cut anywhere.</summary>
internal abstract class HubWire : IAsyncDisposable
{
    internal abstract Task SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Some bytes; empty at the end.</summary>
    internal abstract Task<ReadOnlyMemory<byte>> ReceiveAsync();

    public abstract ValueTask DisposeAsync();

    internal static async Task<HubWire> ConnectAsync(HubCarrier carrier, Uri address) => carrier switch
    {
        HubCarrier.WebSocket => new OverStream(await Client.WebSocketAsync(
            new UriBuilder(address) { Scheme = "ws", Path = "/hub" }.Uri, WebSocketMessageType.Text)),
        HubCarrier.Raw => new OverStream(await Client.TcpAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, address.Port))),
        _ => await OverHttp.NegotiateAsync(carrier, new Uri(address, "hub")),
    };

    /// <summary>A socket, or a WebSocket whose messages are taken as a stream.</summary>
    private sealed class OverStream(Client client) : HubWire
    {
        private readonly byte[] _buffer = new byte[4096];

        internal override Task SendAsync(ReadOnlyMemory<byte> bytes) => client.SendAsync(bytes);

        internal override async Task<ReadOnlyMemory<byte>> ReceiveAsync()
            => _buffer.AsMemory(0, await client.Stream.ReadAsync(_buffer, CancellationToken.None).WithDeadline());

        public override ValueTask DisposeAsync() => client.DisposeAsync();
    }

    /// <summary>The two transports that post what they send: one polls for what comes, the other has it streamed as events.</summary>
    private sealed class OverHttp(HttpClient http, Uri address, StreamReader? events) : HubWire
    {
        internal static async Task<OverHttp> NegotiateAsync(HubCarrier carrier, Uri hub)
        {
            var http = new HttpClient { Timeout = Deadline.Default };
            using HttpResponseMessage negotiated = await http.PostAsync(
                new Uri(hub + "/negotiate?negotiateVersion=1"), content: null, TestContext.Current.CancellationToken).WithDeadline();
            string answer = await negotiated.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WithDeadline();
            using var json = System.Text.Json.JsonDocument.Parse(answer);
            var address = new Uri($"{hub}?id={json.RootElement.GetProperty("connectionToken").GetString()}");
            if (carrier == HubCarrier.LongPolling)
            {
                // The first poll only opens the connection.
                using HttpResponseMessage opened = await http.GetAsync(address, TestContext.Current.CancellationToken).WithDeadline();
                return new OverHttp(http, address, null);
            }

            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.Accept.ParseAdd("text/event-stream");
            HttpResponseMessage stream = await http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken).WithDeadline();
            Stream events = await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken).WithDeadline();
            return new OverHttp(http, address, new StreamReader(events));
        }

        internal override async Task SendAsync(ReadOnlyMemory<byte> bytes)
        {
            using HttpResponseMessage answer = await http.PostAsync(
                address, new ReadOnlyMemoryContent(bytes), CancellationToken.None).WithDeadline();
            answer.EnsureSuccessStatusCode();
        }

        internal override async Task<ReadOnlyMemory<byte>> ReceiveAsync()
        {
            if (events is null)
            {
                return await http.GetByteArrayAsync(address, CancellationToken.None).WithDeadline(); // 204, and empty, at the end
            }

            string? line;
            do
            {
                line = await events.ReadLineAsync(CancellationToken.None).WithDeadline();
            }
            while (line is not null && !line.StartsWith("data: ", StringComparison.Ordinal));
            return line is null ? default(ReadOnlyMemory<byte>) : Encoding.UTF8.GetBytes(line["data: ".Length..]);
        }

        public override ValueTask DisposeAsync()
        {
            events?.Dispose();
            http.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
