using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// The encrypted side of a <see cref="TlsChannel"/>: what <see cref="System.Net.Security.SslStream"/> takes for the network, over the
/// socket below.
/// </summary>
/// <remarks>
/// The socket is touched on the loop's thread alone. What waits here goes on within the dispatch that ends the wait; only while a
/// handshake runs on the pool (<see cref="MoveToPool"/>) each operation is posted to the loop and goes on over there.
/// </remarks>
internal sealed class TlsWire : Stream, ISocketSink, IOnBehalf
{
    private readonly StreamSocket _socket;
    private readonly TlsChannel _channel;
    private readonly WireOperation _read = new();
    private readonly WireOperation _write = new();
    private readonly ReadWork _readWork;
    private readonly WriteWork _writeWork;
    private Memory<byte> _readBuffer;
    private ReadOnlyMemory<byte> _writeBuffer;
    private byte? _ahead;

    /// <param name="socket">What the bytes come from and go to.</param>
    /// <param name="channel">Told of the socket's end.</param>
    /// <param name="ahead">A byte that was received already.</param>
    internal TlsWire(StreamSocket socket, TlsChannel channel, byte? ahead)
    {
        _socket = socket;
        _channel = channel;
        _ahead = ahead;
        _readWork = new ReadWork(this);
        _writeWork = new WriteWork(this);
    }

    /// <summary>Whether the peer's end of sending was read here, which a TLS peer has announced before.</summary>
    internal bool IsEndReached { get; private set; }

    object? IOnBehalf.Behalf => _channel;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    private bool IsOnPool => _read.ContinuesOnPool;

    /// <summary>From here on operations come from pool threads and go on there.</summary>
    internal void MoveToPool()
    {
        _read.ContinuesOnPool = true;
        _write.ContinuesOnPool = true;
    }

    /// <summary>From here on operations come from the loop's thread and go on there.</summary>
    internal void MoveToLoop()
    {
        _read.ContinuesOnPool = false;
        _write.ContinuesOnPool = false;
    }

    /// <summary>Whether another write follows within this turn, with which the bytes of the next one may leave.</summary>
    internal bool MoreFollows { get; set; }

    /// <summary>
    /// No byte at all asks to be told when there are some, without holding a buffer meanwhile; it is ended by the first one, which is kept.
    /// </summary>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!IsOnPool && TryRead(buffer, out int count))
        {
            return new ValueTask<int>(count);
        }

        _readBuffer = buffer;
        _read.Begin();
        if (IsOnPool && !_socket.Loop.Post(_readWork))
        {
            _read.Fail(Broken());
        }

        return new ValueTask<int>(_read, _read.Version);
    }

    /// <summary>
    /// Copies into the socket's queue, and waits while too much is unsent there. The bytes leave at once, unless
    /// <see cref="MoreFollows"/>.
    /// </summary>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (IsOnPool)
        {
            _writeBuffer = buffer;
            _write.Begin();
            if (!_socket.Loop.Post(_writeWork))
            {
                _write.Fail(Broken());
            }
        }
        else
        {
            Write(buffer.Span);

            // Several records leave together. Beside a write that waits there may be an answer to the peer's wish for new keys: it is
            // small, and only queued.
            bool isMuch = _socket.Unsent + _socket.Unflushed > _socket.SendHighWater;
            if ((MoreFollows && !isMuch) || _socket.FlushNow() || _write.IsPending)
            {
                return ValueTask.CompletedTask;
            }

            _write.Begin();
        }

        return new ValueTask(_write, _write.Version);
    }

    /// <summary>Into the socket's queue.</summary>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_socket.IsClosing)
        {
            throw Broken();
        }

        _socket.Write(buffer);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A loop is never blocked.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A loop is never blocked.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public void OnReceivable() => GoOnReading();

    public void OnSendDrained()
    {
        // A close drops what is unsent, which looks like a drain from here.
        if (!_socket.IsClosing)
        {
            _write.Succeed(0);
        }
    }

    public void OnSent() => _channel.OnWireSent();

    public void OnSendFinished() => _socket.Close(reason: null, reset: false);

    public void OnClosed(Exception? reason)
    {
        _read.Fail(Broken());
        _write.Fail(Broken());
        _channel.OnWireClosed();
    }

    private bool TryRead(Memory<byte> buffer, out int count)
    {
        count = 0;
        Span<byte> room = buffer.Span;
        if (room.IsEmpty)
        {
            return _ahead is not null || TryLookAhead();
        }

        if (_ahead is { } ahead)
        {
            room[0] = ahead;
            _ahead = null;
            count = 1;
            if (room.Length == 1)
            {
                return true;
            }
        }

        return TryReceive(room[count..], ref count);
    }

    private bool TryLookAhead()
    {
        Span<byte> one = stackalloc byte[1];
        int count = 0;
        bool received = TryReceive(one, ref count);
        if (count == 1)
        {
            _ahead = one[0];
        }

        return received;
    }

    // An end or an error behind bytes is met again by the next call.
    private bool TryReceive(Span<byte> room, ref int count)
    {
        Drivers.IoResult result = _socket.Receive(room);
        if (result.IsOk)
        {
            IsEndReached = result.Count == 0 && count == 0;
            count += result.Count;
            return true;
        }

        if (count > 0)
        {
            return true;
        }

        return _socket.IsClosing ? throw Broken() : false;
    }

    private void GoOnReading()
    {
        if (!_read.IsPending)
        {
            return;
        }

        bool done;
        int count;
        try
        {
            done = TryRead(_readBuffer, out count);
        }
        catch (IOException e)
        {
            _read.Fail(e); // the connection broke: the reader's to know
            return;
        }

        if (done)
        {
            _readBuffer = default;
            _read.Succeed(count);
        }
    }

    private void GoOnWriting()
    {
        try
        {
            Write(_writeBuffer.Span);
        }
        catch (IOException e)
        {
            _write.Fail(e); // the connection broke: the writer's to know
            return;
        }

        // The flights of a handshake are small: they need not wait for the peer.
        _socket.FlushNow();
        _writeBuffer = default;
        _write.Succeed(0);
    }

    private IOException Broken()
        => _socket.CloseReason as IOException ?? new IOException("The connection below TLS is closed.", _socket.CloseReason);

    private sealed class ReadWork(TlsWire wire) : ILoopWork
    {
        public void Run() => wire.GoOnReading();
    }

    private sealed class WriteWork(TlsWire wire) : ILoopWork
    {
        public void Run() => wire.GoOnWriting();
    }
}
