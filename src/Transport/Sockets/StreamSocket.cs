using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// THE socket engine: one non-blocking stream on one loop, with one sink at a time. Kestrel's pipes, the reactor's transport and the loop's
/// stream are sinks over it; none of them touches a descriptor.
/// </summary>
/// <remarks>
/// Lives on its loop's thread. Two things may come from other threads: bytes to send (one writer at a time, see
/// <c>StreamSocket.Send.cs</c>) and <see cref="RequestAbort"/>. It knows the loop by <see cref="IEventLoop"/> alone, and the stream by
/// <see cref="IStreamChannel"/>, so that a pipe or a WebSocket serves it as well as a socket does.
/// </remarks>
internal sealed partial class StreamSocket : IStreamChannelOwner, IOnBehalf, IDisposable
{
    private readonly IStreamChannel _channel;
    private ISocketSink? _sink;
    private TaskCompletionSource? _connecting;
    private Exception? _closeReason;
    private bool _reset;
    private bool _endOfStream;
    private volatile bool _closing;
    private bool _started;
    private bool _closed;

    internal StreamSocket(IEventLoop loop, IStreamChannel channel, StreamSocketOptions? options = null)
    {
        options ??= StreamSocketOptions.Default;
        Loop = loop;
        _channel = channel;
        _queue = new SegmentQueue(options.Pool);
        SendHighWater = options.SendHighWater;
        SendLowWater = options.SendHighWater / 2;
    }

    internal IEventLoop Loop { get; }

    object? IOnBehalf.Behalf => _sink;

    string? IOnBehalf.Label => $"{RemoteEndPoint} on {LocalEndPoint}";

    internal EndPoint? LocalEndPoint => _channel.LocalEndPoint;

    internal EndPoint? RemoteEndPoint => _channel.RemoteEndPoint;

    internal RawSocket? RawSocket => _channel.Socket;

    /// <summary>Told of the close after the sink, whoever is sink by then. Set before <see cref="Start"/>.</summary>
    internal ISocketObserver? Observer { get; set; }

    /// <summary>Whether the close has begun. Any thread.</summary>
    internal bool IsClosing => _closing;

    /// <summary>Why the close has begun; null before, and for an orderly one. Loop thread.</summary>
    internal Exception? CloseReason => _closeReason;

    /// <summary>Whether the peer has finished sending and everything it sent was received.</summary>
    internal bool IsEndOfStream => _endOfStream;

    /// <summary>Puts the stream to work. Loop thread.</summary>
    internal void Start(ISocketSink sink)
    {
        _sink = sink;
        _started = true;
        Loop.Own(this);
        try
        {
            _channel.Start(this);
        }
        catch (IOException e)
        {
            Close(e, reset: true); // the kernel is out of watches or memory: the end of this connection, not of who accepted it
        }
    }

    /// <summary>Connects first and starts then. Loop thread. After a failure the socket is closed, and the sink was told.</summary>
    internal Task ConnectAsync(EndPoint endPoint, ISocketSink sink)
    {
        IoResult result = _channel.Connect(endPoint);
        if (result.IsError)
        {
            var refused = new SocketException((int)result.Error);
            _sink = sink;
            Close(refused, reset: false);
            return Task.FromException(refused);
        }

        _connecting = result.IsPending ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : null;
        Task? connecting = _connecting?.Task;
        Start(sink);
        return connecting ?? (_closing && _closeReason is not null ? Task.FromException(_closeReason) : Task.CompletedTask);
    }

    /// <summary>
    /// Another sink takes over what comes from here on; if that is nothing any more, it is told so in a later turn. Loop thread.
    /// </summary>
    internal void ChangeSink(ISocketSink sink)
    {
        bool isNew = !ReferenceEquals(_sink, sink);
        _sink = sink;
        if (isNew && _closed)
        {
            Loop.Post(new LateClose(this));
        }
    }

    /// <summary>
    /// Takes what has arrived. Zero is the end of the stream. An error has begun the close already: the sink has nothing left to do but
    /// stop. Loop thread.
    /// </summary>
    /// <exception cref="ArgumentException">The buffer has no room: zero bytes would be taken for the end of the stream.</exception>
    internal IoResult Receive(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            throw new ArgumentException("There must be room for a byte at least.", nameof(buffer));
        }

        if (_closing)
        {
            return IoResult.Pending;
        }

        if (_endOfStream)
        {
            return IoResult.Of(0);
        }

        IoResult result = _channel.Receive(buffer);
        if (result.IsError)
        {
            Close(_channel.Failure ?? ConnectionErrors.FromReceive(result.Error), reset: false);
        }
        else if (result.IsOk && result.Count == 0)
        {
            _endOfStream = true;
        }

        return result;
    }

    /// <summary>Ends the connection at once; unsent bytes are dropped. The first reason stays. Loop thread.</summary>
    internal void Close(Exception? reason, bool reset)
    {
        if (_closing)
        {
            return;
        }

        _closeReason = reason;
        _reset = reset;
        _closing = true;
        CloseWhenSenderIsOut();
    }

    /// <summary>As <see cref="Close"/>, from any thread.</summary>
    internal void RequestAbort(Exception? reason, bool reset)
    {
        if (Loop.IsOnLoopThread)
        {
            Close(reason, reset);
        }
        else
        {
            Loop.Post(new CloseRequest(this, reason, reset));
        }
    }

    /// <summary>The loop is closed under a live connection.</summary>
    public void Dispose()
    {
        Close(new ObjectDisposedException("EventLoop", "The loop of the connection was closed."), reset: true);

        // Somebody may be sending on another thread. He never blocks and leaves the close to the loop, which soon takes no more posts: wait
        // until his is there.
        var wait = new SpinWait();
        while (Volatile.Read(ref _sendersElsewhere) != 0)
        {
            wait.SpinOnce();
        }

        // A pipe ends on a thread of its own choice, perhaps when there is no loop any more to tell from.
        TellClosed();
        _linger?.End();
    }

    void IStreamChannelOwner.OnConnected(SocketError error)
    {
        TaskCompletionSource connecting = _connecting!;
        _connecting = null;
        if (error == SocketError.Success)
        {
            connecting.SetResult();
            return;
        }

        var exception = new SocketException((int)error);
        Close(exception, reset: false);
        connecting.SetException(exception);
    }

    void IStreamChannelOwner.OnReceivable()
    {
        if (!_closing)
        {
            EndBurst();
            using OutsideContext _ = OutsideContext.Enter();
            _sink!.OnReceivable();
        }
        else
        {
            _linger?.Run();
        }
    }

    void IStreamChannelOwner.OnFailed(Exception reason) => Close(reason, reset: false);

    void IStreamChannelOwner.OnClosed()
    {
        if (_linger is null)
        {
            FinishClose();
        }
    }

    // The channel tells its end to the owner it was started with.
    private void CloseChannel()
    {
        if (TryLinger())
        {
            FinishClose();
            Loop.Own(this); // the end told it to forget the socket
            return;
        }

        _channel.Close(_reset);
        if (!_started)
        {
            FinishClose();
        }
    }

    private void FinishClose()
    {
        DiscardUnsent();
        TellClosed();
    }

    private void TellClosed()
    {
        if (_closed)
        {
            return;
        }

        using OutsideContext _ = OutsideContext.Enter();
        _closed = true;
        Loop.Disown(this);
        _connecting?.TrySetException(_closeReason ?? new OperationCanceledException());
        _sink?.OnClosed(_closeReason);
        Observer?.OnSocketClosed(_closeReason);
    }

    private sealed class LateClose(StreamSocket socket) : ILoopWork
    {
        public void Run() => socket._sink!.OnClosed(socket._closeReason);
    }

    private sealed class CloseRequest(StreamSocket socket, Exception? reason, bool reset) : ILoopWork
    {
        public void Run() => socket.Close(reason, reset);
    }
}
