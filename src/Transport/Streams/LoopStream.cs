using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Streams;

/// <summary>
/// A connection for <c>async</c> code on a loop: read until a delimiter, so many bytes, some, or all; write with backpressure; close.
/// Descends from Tornado's <c>IOStream</c>.
/// </summary>
/// <remarks>
/// <para><b>Making one.</b> <see cref="Connect"/> and <see cref="ConnectAsync(IEventLoop, EndPoint, LoopStreamOptions?, CancellationToken)"/>
/// to a peer, <see cref="FromSocket(IEventLoop, System.Net.Sockets.Socket, LoopStreamOptions?)"/> of a socket; servers and loop handlers are
/// given theirs.</para>
/// <para><b>Thread.</b> Everything belongs to the thread of <see cref="Loop"/>, but <see cref="Abort"/>, <see cref="Connected"/>,
/// <see cref="Closed"/>, <see cref="IsClosed"/>, <see cref="Error"/> and the end points. A call from elsewhere throws <see cref="InvalidOperationException"/>. Code that awaits
/// there goes on there, within the dispatch that completed the operation; never inside another call of the stream.</para>
/// <para><b>Reading.</b> One read at a time. Nothing is received while no read waits, apart from the rest of the last chunk
/// (<see cref="LoopStreamOptions.ReadChunkSize"/>), so that the peer feels backpressure. What the peer sent before it finished sending is
/// read first.</para>
/// <para><b>End.</b> Once a read has met the end of the peer's bytes, the stream closes by itself, after sending what was written before;
/// only this side can close by half (<see cref="FinishWriting"/>). Errors close it at once. What was received before can still be read,
/// unless this side closed it.</para>
/// </remarks>
[SuppressMessage("Naming", "CA1711", Justification = "Tornado's term. No System.IO.Stream, because it belongs to one thread.")]
public sealed partial class LoopStream : IAsyncDisposable
{
    private readonly StreamSocket _socket;
    private readonly Sink _sink;
    private readonly ILogger _logger;
    private readonly INameResolver? _resolver;
    private readonly long? _maxWriteBufferSize;
    private readonly int _maxBufferSize;
    private readonly int _chunkSize;
    private bool _noDelay;
    private ReadBuffer _buffer;

    internal LoopStream(StreamSocket socket, LoopStreamOptions? options = null)
    {
        options ??= LoopStreamOptions.Default;
        _socket = socket;
        _sink = new Sink(this);
        _logger = options.Logger ?? NullLogger.Instance;
        _resolver = options.Resolver;
        _maxWriteBufferSize = options.MaxWriteBufferSize;
        _maxBufferSize = options.MaxBufferSize;
        _chunkSize = options.ChunkSize;
        _noDelay = options.NoDelay;
    }

    /// <summary>The loop it lives on.</summary>
    public IEventLoop Loop => _socket.Loop;

    /// <summary>This side's address, if it has one. Any thread; stays after close.</summary>
    public EndPoint? LocalEndPoint => _socket.LocalEndPoint;

    /// <summary>The peer's address, if it has one. Any thread; stays after close.</summary>
    public EndPoint? RemoteEndPoint => _socket.RemoteEndPoint;

    /// <summary>Whether a read is pending.</summary>
    public bool IsReading => _pendingRead is not null;

    /// <summary>Whether written bytes are still to be sent.</summary>
    public bool IsWriting => _socket.Unsent + _socket.Unflushed > 0;

    /// <summary>
    /// Sets whether small segments are sent at once (no Nagle). Takes effect on TCP connections, also while connecting, and is ignored
    /// elsewhere. Loop thread.
    /// </summary>
    public void SetNoDelay(bool on)
    {
        VerifyAccess();
        _noDelay = on;
        if (!_socketClosed && _socket.RawSocket is { IsTcp: true } raw)
        {
            raw.SetNoDelay(on);
        }
    }

    /// <summary>For what opens sockets: <c>socket.Start(stream.SocketSink)</c>.</summary>
    internal ISocketSink SocketSink => _sink;

    /// <summary>Whose code reads and writes, for the watchdog's report. Null: nobody said.</summary>
    internal object? User { get; set; }

    /// <summary>Bytes received and not read.</summary>
    internal int Buffered => _buffer.Length;

    /// <summary>Bytes written and not yet taken by the operating system.</summary>
    internal long Unsent => _socket.Unsent;

    /// <summary>How large the array is that holds what was received and not read; zero when there is none.</summary>
    internal int BufferCapacity => _buffer.Capacity;

    /// <summary>Takes a running socket over from another sink, with what that one had received and not used. Loop thread.</summary>
    internal void Begin(in ReadOnlySequence<byte> alreadyReceived)
    {
        foreach (ReadOnlyMemory<byte> piece in alreadyReceived)
        {
            _buffer.Append(piece.Span);
        }

        _socket.ChangeSink(_sink);
    }

    private void VerifyAccess()
    {
        VerifyNotUpgraded();
        VerifyAccess(Loop);
    }

    private static void VerifyAccess(IEventLoop loop)
    {
        if (!loop.IsOnLoopThread)
        {
            throw new InvalidOperationException(
                "A LoopStream is loop-affine: use it on the thread of its Loop (Loop.AddCallback brings you there). "
                + "Only Abort may come from elsewhere.");
        }
    }

    // A value task that waits for a write or read is in use until its result was taken; usually it is free, and nothing is allocated.
    private StreamOperation Acquire(ref StreamOperation? slot, CancellationToken cancellationToken)
    {
        if (slot is null || !slot.TryAcquire())
        {
            slot = new StreamOperation(Loop);
            slot.TryAcquire();
        }

        slot.Watch(static sink => ((Sink)sink!).Request(), _sink, cancellationToken);
        return slot;
    }

    /// <summary>
    /// Looks at everything that may have come about outside a dispatch of the socket: a cancellation, a close, a read that yielded. Comes
    /// through the loop, never within a call of the user's, so that no continuation runs inside a call. Harmless when there is nothing.
    /// </summary>
    private void Settle()
    {
        if (_successor is not null)
        {
            return; // asked for before the upgrade to TLS: the socket's bytes are the new stream's, and one taken here would be missing there
        }

        SettleRead();
        SettleWrites();
        SettleConnect();
        SettleHandshake();
        SettleClose();
        LookForEnd();
    }

    /// <summary>What the engine calls; apart from the stream, so that none of it is public.</summary>
    private sealed class Sink(LoopStream stream) : ISocketSink, ITlsObserver, ILoopWork, IOnBehalf
    {
        private int _requested;

        object IOnBehalf.Behalf => stream.User ?? stream;

        /// <summary>Settles in the next turn. Any thread.</summary>
        internal void Request()
        {
            if (Interlocked.Exchange(ref _requested, 1) == 0)
            {
                stream.Loop.Post(this);
            }
        }

        public void Run()
        {
            Volatile.Write(ref _requested, 0);
            stream._endCheckQueued = false;
            stream.Settle();
        }

        public void OnReceivable() => stream.OnReceivable();

        public void OnSendDrained() => stream.OnSendDrained();

        public void OnSent() => stream.OnSent();

        public void OnSendFinished() => stream.OnSendFinished();

        public void OnClosed(Exception? reason) => stream.OnSocketClosed(reason);

        public void OnHandshakeEnded(Exception? failure) => stream.OnHandshakeEnded(failure);
    }
}
