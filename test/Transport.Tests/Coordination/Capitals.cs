using System.Net;
using System.Text;
using LoopBridge.Deferreds;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Streams;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>The line was in capitals already.</summary>
internal sealed class CapitalsException(string line) : Exception(line);

/// <summary>A client in the loop's style, and what the service says.</summary>
internal static class Capitals
{
    private const string Complaint = "error already capitalized";

    internal static IPEndPoint Loopback => new(IPAddress.Loopback, 0);

    internal static string Answer(string line) => !line.Any(char.IsLower) ? Complaint : line.ToUpperInvariant();

    internal static string Checked(string answer, string line) => answer == Complaint ? throw new CapitalsException(line) : answer;

    internal static Deferred<string> CheckedAsync(string answer, string line) => Deferred.Maybe(() => Checked(answer, line));

    internal static async Task<LoopStream> ConnectAsync(IEventLoop loop, EndPoint server)
    {
        using var client = new LoopTcpClient(loop);
        return await client.ConnectAsync("127.0.0.1", ((IPEndPoint)server).Port);
    }

    internal static async Task<string> ExchangeAsync(LoopStream stream, string line)
    {
        await using (stream)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"));
            byte[] answer = await stream.ReadUntilAsync("\r\n"u8.ToArray());
            return Checked(Encoding.ASCII.GetString(answer).TrimEnd(), line);
        }
    }

    internal static async Task<string> AskAsync(IEventLoop loop, EndPoint server, string line)
        => await ExchangeAsync(await ConnectAsync(loop, server), line);
}

/// <summary>The service in the loop's style. Serves until disposed of.</summary>
internal sealed class CapitalsServer : IAsyncDisposable
{
    private readonly TaskCompletionSource _served = new();
    private readonly LoopTcpServer _server;

    internal CapitalsServer(IEventLoop loop)
    {
        _server = new LoopTcpServer(loop, ServeAsync);
        _server.Listen(Capitals.Loopback);
    }

    internal IPEndPoint EndPoint => (IPEndPoint)_server.EndPoints[0];

    /// <summary>The first connection has ended.</summary>
    internal Task Served => _served.Task;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task ServeAsync(LoopStream stream)
    {
        try
        {
            byte[] line = await stream.ReadUntilAsync("\r\n"u8.ToArray());
            string answer = Capitals.Answer(Encoding.ASCII.GetString(line).TrimEnd());
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer + "\r\n"));
            await stream.CloseAsync();
            _served.TrySetResult();
        }
        catch (Exception e)
        {
            _served.TrySetException(e); // the test's to see
        }
    }
}

/// <summary>The service in the reactor's style.</summary>
internal sealed class CapitalsProtocol(TaskCompletionSource<Exception> lost) : LineReceiver
{
    public override void LineReceived(ReadOnlySpan<byte> line)
    {
        Transport.Write(Encoding.ASCII.GetBytes(Capitals.Answer(Encoding.ASCII.GetString(line)) + "\r\n"));
        Transport.LoseConnection();
    }

    public override void ConnectionLost(Exception reason) => lost.TrySetResult(reason);
}

/// <summary>A client in the reactor's style: one line, one answer.</summary>
internal sealed class CapitalsClient(string question) : LineReceiver
{
    private readonly TaskCompletionSource _lost = new();

    internal Deferred<string> Answer { get; } = new();

    internal Task Lost => _lost.Task;

    public override void ConnectionMade() => Transport.Write(Encoding.ASCII.GetBytes(question + "\r\n"));

    public override void LineReceived(ReadOnlySpan<byte> line)
    {
        Answer.Callback(Encoding.ASCII.GetString(line));
        Transport.LoseConnection();
    }

    public override void ConnectionLost(Exception reason) => _lost.TrySetResult();
}
