using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Handlers;

/// <summary>
/// A WebSocket in the place of a socket. The payloads of its messages are the stream's bytes; where one message ends and the next begins
/// means nothing, as with TCP.
/// </summary>
/// <remarks>
/// It answers in the kind of message that it was last sent: text to text, as long as what is sent is UTF-8, and binary else. The WebSocket
/// completes on any thread; what comes of it is posted to the loop, and only there state is touched.
/// </remarks>
internal sealed class WebSocketChannel(IEventLoop loop, WebSocket webSocket, HttpConnectionInfo info) : IStreamChannel
{
    // How long a peer may take to answer our goodbye: RFC 6455, 5.5.1 wants an answer and names no time, and half a close handshake must
    // not hold a connection for ever.
    private static readonly TimeSpan GoodbyeLimit = TimeSpan.FromSeconds(5);

    // Rented while a message is being waited for; a WebSocket holds buffers of that order itself.
    private const int ReceiveSize = 4096;

    private readonly Utf8Boundary _boundary = new();
    private IStreamChannelOwner? _owner;
    private byte[]? _receiveBuffer;
    private int _arrivedStart;
    private int _arrivedEnd;
    private WebSocketMessageType _messageType = WebSocketMessageType.Binary;
    private bool _failed;
    private bool _endOfStream;
    private bool _receiving;
    private bool _sending;
    private bool _finishRequested;
    private bool _closed;
    private bool _reported;
    private LoopTimeout? _goodbyeTimeout;

    public EndPoint? LocalEndPoint => info.Local;

    public EndPoint? RemoteEndPoint => info.Remote;

    public RawSocket? Socket => null;

    public bool CanSendFromAnyThread => false;

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        BeginReceive();
    }

    public IoResult Receive(Span<byte> buffer)
    {
        if (_arrivedStart < _arrivedEnd)
        {
            int count = Math.Min(buffer.Length, _arrivedEnd - _arrivedStart);
            _receiveBuffer.AsSpan(_arrivedStart, count).CopyTo(buffer);
            _arrivedStart += count;
            if (_arrivedStart == _arrivedEnd)
            {
                BeginReceive();
            }

            return IoResult.Of(count);
        }

        return _failed ? IoResult.Failed(SocketError.ConnectionReset)
            : _endOfStream ? IoResult.Of(0)
            : IoResult.Pending;
    }

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        int total = 0;
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            total += buffer.Length;
        }

        byte[] message = ArrayPool<byte>.Shared.Rent(total + Utf8Boundary.MaxHeldBack);
        int length = _boundary.TakeHeldBack(message);
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            buffer.Span.CopyTo(message.AsSpan(length));
            length += buffer.Length;
        }

        WebSocketMessageType type = _messageType;
        if (type == WebSocketMessageType.Text)
        {
            // A text message must be whole UTF-8 (RFC 6455, 5.6): a character cut in two waits for its other half.
            if (_boundary.HoldBack(message.AsSpan(0, length)) is { } whole)
            {
                length = whole;
            }
            else
            {
                type = WebSocketMessageType.Binary;
            }
        }

        _sending = true;
        _ = SendAsync(message, length, type, total);
        return IoResult.Pending;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => throw new InvalidOperationException("A WebSocket is written to from the loop only.");

    /// <summary>Says goodbye. The connection ends with the peer's own, or when that takes too long.</summary>
    public void ShutdownSend()
    {
        _finishRequested = true;
        _sending = true;
        _ = SayGoodbyeAsync();
    }

    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        if (reset || (_sending && !_finishRequested))
        {
            Abort(); // a goodbye would have to wait for what is being sent
        }
        else
        {
            if (!_finishRequested)
            {
                ShutdownSend();
            }

            _goodbyeTimeout = loop.CallLater(GoodbyeLimit, Abort);
        }

        ReportWhenIdle();
    }

    // The WebSocket alone would end neither the connection nor a receive that waits for the peer.
    private void Abort()
    {
        webSocket.Abort();
        info.Abort();
    }

    private void BeginReceive()
    {
        _receiveBuffer ??= ArrayPool<byte>.Shared.Rent(ReceiveSize);
        _arrivedStart = _arrivedEnd = 0;
        _receiving = true;
        _ = ReceiveAsync(_receiveBuffer);
    }

    private async Task ReceiveAsync(byte[] buffer)
    {
        ValueWebSocketReceiveResult result = default;
        bool failed = false;
        try
        {
            result = await webSocket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            failed = true; // the peer went away without a goodbye, or we aborted; each implementation has its own way to say so
        }

        loop.Post(new Completion(() => OnReceived(result, failed)));
    }

    private void OnReceived(ValueWebSocketReceiveResult result, bool failed)
    {
        _receiving = false;
        _failed = failed;
        _endOfStream = !failed && result.MessageType == WebSocketMessageType.Close;
        if (_closed)
        {
            if (!failed && !_endOfStream)
            {
                BeginReceive(); // nobody wants it any more; what we wait for is the goodbye
            }

            ReportWhenIdle();
            return;
        }

        if (!failed && !_endOfStream)
        {
            _messageType = result.MessageType;
            _arrivedEnd = result.Count;
            if (result.Count == 0)
            {
                BeginReceive(); // an empty message carries no bytes
                return;
            }
        }

        _owner!.OnReceivable();
    }

    private async Task SendAsync(byte[] message, int length, WebSocketMessageType type, int total)
    {
        IoResult done = IoResult.Of(total);
        try
        {
            if (length > 0)
            {
                await webSocket.SendAsync(message.AsMemory(0, length), type, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            done = IoResult.Failed(SocketError.ConnectionReset); // the peer is gone, or we aborted
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(message);
        }

        loop.Post(new Completion(() => OnSent(done)));
    }

    private void OnSent(IoResult done)
    {
        _sending = false;
        if (_closed)
        {
            ReportWhenIdle();
        }
        else
        {
            _owner!.OnSendProgress(done);
        }
    }

    private async Task SayGoodbyeAsync()
    {
        byte[] rest = new byte[Utf8Boundary.MaxHeldBack];
        int restLength = _boundary.TakeHeldBack(rest);
        try
        {
            if (restLength > 0)
            {
                // A character whose other half never came: bytes all the same, and the stream's last.
                await webSocket.SendAsync(rest.AsMemory(0, restLength), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None).ConfigureAwait(false);
            }

            await webSocket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The peer is gone, or has said goodbye first and is not waiting for ours: there is nothing left to end.
        }

        loop.Post(new Completion(() =>
        {
            _sending = false;
            ReportWhenIdle();
        }));
    }

    private void ReportWhenIdle()
    {
        if (!_closed || _sending || _receiving || _reported)
        {
            return;
        }

        _reported = true;
        if (_goodbyeTimeout is not null)
        {
            loop.RemoveTimeout(_goodbyeTimeout);
        }

        if (_receiveBuffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_receiveBuffer);
            _receiveBuffer = null;
        }

        _owner?.OnClosed();
    }

    private sealed class Completion(Action run) : ILoopWork, IOnBehalf
    {
        object? IOnBehalf.Behalf => run;

        public void Run() => run();
    }
}
