using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>How a hub is reached. <c>Raw</c> is a port of its own, with no HTTP at all.</summary>
public enum HubCarrier
{
    Raw,
    WebSocket,
    ServerSentEvents,
    LongPolling,
}

/// <summary>
/// A client of SignalR's JSON protocol by hand: records of JSON, each ended by 0x1e; first a handshake, then messages with a type.
/// https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md
/// </summary>
internal sealed class HubClient(HubWire wire) : IAsyncDisposable
{
    internal const int Invocation = 1;
    internal const int StreamItem = 2;
    internal const int Completion = 3;
    internal const int Ping = 6;
    internal const int Close = 7;
    private const byte RecordEnd = 0x1e;

    private readonly List<byte> _received = [];
    private int _invocations;

    internal static async Task<HubClient> ConnectAsync(HubCarrier carrier, Uri address)
    {
        var client = new HubClient(await HubWire.ConnectAsync(carrier, address));
        await client.SendAsync(new { protocol = "json", version = 1 });
        Assert.Equal("{}", (await client.ReceiveAnyAsync())?.ToJsonString());
        return client;
    }

    internal Task SendAsync(object message) => wire.SendAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(message), RecordEnd]);

    /// <summary>The next message but pings; null at the end.</summary>
    internal async Task<JsonNode?> ReceiveAsync()
    {
        JsonNode? message;
        do
        {
            message = await ReceiveAnyAsync();
        }
        while (message is not null && TypeOf(message) == Ping);
        return message;
    }

    internal async Task<JsonNode?> ReceiveAnyAsync()
    {
        int end;
        while ((end = _received.IndexOf(RecordEnd)) < 0)
        {
            ReadOnlyMemory<byte> more = await wire.ReceiveAsync();
            if (more.IsEmpty)
            {
                return null;
            }

            _received.AddRange(more.Span);
        }

        string record = Encoding.UTF8.GetString([.. _received[..end]]);
        _received.RemoveRange(0, end + 1);
        return JsonNode.Parse(record);
    }

    internal static int TypeOf(JsonNode message) => (int)message["type"]!;

    /// <summary>Calls a method and gives its result.</summary>
    internal async Task<JsonNode?> InvokeAsync(string target, params object[] arguments)
    {
        string id = $"{++_invocations}";
        await SendAsync(new { type = 1, invocationId = id, target, arguments });
        JsonNode completion = (await ReceiveAsync())!;
        Assert.Equal(Completion, TypeOf(completion));
        Assert.Equal(id, (string?)completion["invocationId"]);
        Assert.Null(completion["error"]);
        return completion["result"];
    }

    /// <summary>Calls a method that answers with a stream, and gives all of it.</summary>
    internal async Task<List<int>> StreamAsync(string target, params object[] arguments)
    {
        string id = $"{++_invocations}";
        await SendAsync(new { type = 4, invocationId = id, target, arguments });
        var items = new List<int>();
        while (true)
        {
            JsonNode message = (await ReceiveAsync())!;
            Assert.Equal(id, (string?)message["invocationId"]);
            if (TypeOf(message) == Completion)
            {
                return items;
            }

            Assert.Equal(StreamItem, TypeOf(message));
            items.Add((int)message["item"]!);
        }
    }

    /// <summary>Waits for the end of the connection.</summary>
    internal async Task<JsonNode?> ReceiveToEndAsync()
    {
        JsonNode? last = null;
        while (await ReceiveAsync() is { } message)
        {
            last = message;
        }

        return last;
    }

    public ValueTask DisposeAsync() => wire.DisposeAsync();
}
