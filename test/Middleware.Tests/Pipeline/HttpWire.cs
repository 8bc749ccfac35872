using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>One answer, as it came.</summary>
internal sealed record WireAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    internal string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Whether the server said that this is the last one on the connection.</summary>
    internal bool IsLast => Headers.TryGetValue("Connection", out string? value) && value == "close";
}

/// <summary>
/// HTTP/1.1 by hand, to see what a client library would hide: which answer was the last, and how the connection ended.
/// </summary>
internal sealed class HttpWire(Stream stream, Socket socket) : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    internal Stream Stream => stream;

    internal Socket Socket => socket;

    internal static async Task<HttpWire> ConnectAsync(EndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(endPoint, TestContext.Current.CancellationToken).WithDeadline();
            return new HttpWire(new NetworkStream(socket, ownsSocket: true), socket);
        }
        catch
        {
            socket.Dispose(); // the failure is the caller's to judge
            throw;
        }
    }

    internal static async Task<HttpWire> ConnectTlsAsync(EndPoint endPoint)
    {
        HttpWire plain = await ConnectAsync(endPoint);
        var tls = new SslStream(plain.Stream);
        await tls.AuthenticateAsClientAsync(TlsClients.Options(), CancellationToken.None).WithDeadline();
        return new HttpWire(tls, plain.Socket);
    }

    internal Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));

    internal Task SendAsync(ReadOnlyMemory<byte> bytes) => stream.WriteAsync(bytes, CancellationToken.None).WithDeadline();

    internal async Task<WireAnswer> GetAsync(string path, string headers = "")
    {
        await SendAsync($"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        return await ReceiveAnswerAsync() ?? throw new EndOfStreamException("The connection ended before the answer.");
    }

    /// <summary>One whole answer; null if the connection ends before its first byte. One that is cut off throws.</summary>
    internal async Task<WireAnswer?> ReceiveAnswerAsync()
    {
        if (_start == _end && !await FillAsync())
        {
            return null;
        }

        int status = int.Parse((await ReadLineAsync()).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await ReadLineAsync() is { Length: > 0 } line)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        using var body = new MemoryStream();
        if (headers.ContainsKey("Transfer-Encoding"))
        {
            int size;
            do
            {
                size = int.Parse(await ReadLineAsync(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                await CopyAsync(size, body);
                Assert.Empty(await ReadLineAsync());
            }
            while (size > 0);
        }
        else if (headers.TryGetValue("Content-Length", out string? length))
        {
            await CopyAsync(int.Parse(length, CultureInfo.InvariantCulture), body);
        }

        return new WireAnswer(status, headers, body.ToArray());
    }

    /// <summary>The end of the stream, in order, with nothing before it.</summary>
    internal async Task AssertEndAsync()
    {
        Assert.Equal(_start, _end);
        Assert.False(await FillAsync(), "More came after what should have been the last.");
    }

    internal void Reset()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }

    public void Dispose() => stream.Dispose();

    private async Task CopyAsync(int count, Stream to)
    {
        while (count > 0)
        {
            if (_start == _end)
            {
                await FillOrThrowAsync();
            }

            int now = Math.Min(_end - _start, count);
            to.Write(_buffer, _start, now);
            _start += now;
            count -= now;
        }
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_start == _end)
            {
                await FillOrThrowAsync();
            }

            char c = (char)_buffer[_start++];
            if (c == '\n')
            {
                return line.ToString();
            }

            if (c != '\r')
            {
                line.Append(c);
            }
        }
    }

    private async Task FillOrThrowAsync()
    {
        if (!await FillAsync())
        {
            throw new EndOfStreamException("The answer was cut off.");
        }
    }

    private async Task<bool> FillAsync()
    {
        _start = 0;
        _end = await stream.ReadAsync(_buffer, CancellationToken.None).WithDeadline();
        return _end > 0;
    }
}
