using System.Net;
using System.Text;
using LoopBridge.Deferreds;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Sockets;
using LoopBridge.Streams;
using Microsoft.Extensions.Logging.Abstractions;

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
        LoopStream? stream = null;
        await SocketConnector.ConnectAsync(loop, server, StreamSocketOptions.Default, socket =>
        {
            stream = new LoopStream(socket);
            return stream.SocketSink;
        }, CancellationToken.None);
        return stream!;
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

/// <summary>The service in the loop's style. Serves until disposed of. Loop thread.</summary>
internal sealed class CapitalsServer : IDisposable
{
    private readonly TaskCompletionSource _served = new();
    private readonly IEventLoop _loop;
    private readonly SocketListener _listener;

    internal CapitalsServer(IEventLoop loop)
    {
        _loop = loop;
        var settings = new ListenSettings();
        RawSocket socket = ListeningSockets.Listen(HandlerSocketDriver.For(loop), Capitals.Loopback, settings);
        EndPoint = (IPEndPoint)socket.LocalEndPoint!;
        _listener = new SocketListener(loop, socket, settings, raw => _ = ServeAsync(raw), NullLogger.Instance);
        _listener.Start();
    }

    internal IPEndPoint EndPoint { get; }

    /// <summary>The first connection has ended.</summary>
    internal Task Served => _served.Task;

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(RawSocket raw)
    {
        try
        {
            SynchronizationContext.SetSynchronizationContext(_loop.SynchronizationContext);
            var socket = new StreamSocket(_loop, HandlerSocketDriver.For(_loop).OpenStream(raw), StreamSocketOptions.Default);
            await using var stream = new LoopStream(socket);
            socket.Start(stream.SocketSink);
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
