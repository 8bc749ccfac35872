using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

#pragma warning disable CA2012 // each awaiter is consumed once, by TakeRead or TakeWrite

namespace LoopBridge.Sockets;

/// <summary>
/// TLS in the place of a socket: what the engine drives when a stream was upgraded. Bytes go through an <see cref="SslStream"/>, whose
/// encrypted side (<see cref="TlsWire"/>) is the sink of the socket below.
/// </summary>
/// <remarks>
/// Everything happens on the loop's thread, and within the dispatch of the socket below that brought it about; only the handshake may
/// use the pool. Nothing is received below unless it is asked for here, so that the peer feels backpressure. What the SslStream has
/// decrypted is taken before anything is waited for (L-STR-49), because no poll tells of it.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Disposed of by CloseWhenIdle or the end of the handshake, whichever is last.")]
internal sealed partial class TlsChannel : IStreamChannel
{
    // RFC 8446, 5.1: the most that one record carries.
    private const int LargestRecord = 16 * 1024;

    private readonly StreamSocket _below;
    private readonly TlsWire _wire;
    private readonly SslStream _tls;
    private readonly ReadWork _readWork;
    private readonly WriteWork _writeWork;
    private readonly Action _readCompleted;
    private readonly Action _writeCompleted;
    private IStreamChannelOwner? _owner;
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _read;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _write;
    private byte[]? _plain;
    private int _plainStart;
    private int _plainEnd;
    private byte[]? _gathered;
    private int _writeCount;
    private bool _filling;
    private bool _reading;
    private bool _writing;
    private bool _isLast;
    private bool _awaitsSent;
    private bool _shutdownWaits;
    private bool _endOfStream;
    private bool _orderly;
    private bool _closed;
    private bool _wireClosed;
    private bool _ended;

    /// <param name="below">A started socket, which belongs to the channel from <see cref="Start"/> on.</param>
    /// <param name="parameters">How to go about the handshake.</param>
    /// <param name="observer">Told how it ended.</param>
    /// <param name="ahead">A byte that was received from below already.</param>
    internal TlsChannel(StreamSocket below, TlsParameters parameters, ITlsObserver observer, byte? ahead = null)
    {
        _below = below;
        _parameters = parameters;
        _observer = observer;
        _wire = new TlsWire(below, this, ahead);
        _tls = new SslStream(_wire, leaveInnerStreamOpen: true);
        _readWork = new ReadWork(this);
        _writeWork = new WriteWork(this);
        _readCompleted = () => Continue(_readWork);
        _writeCompleted = () => Continue(_writeWork);
    }

    public EndPoint? LocalEndPoint => _below.LocalEndPoint;

    public EndPoint? RemoteEndPoint => _below.RemoteEndPoint;

    /// <summary>The one below: for what may be set on it, not for its bytes.</summary>
    public RawSocket? Socket => _below.RawSocket;

    public bool CanSendFromAnyThread => false;

    public Exception? Failure { get; private set; }

    // The error that stands for Failure where only a SocketError fits.
    private static IoResult Failed => IoResult.Failed(SocketError.ConnectionAborted);

    private bool HasNews => _plainEnd > _plainStart || _endOfStream || Failure is not null;

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        _below.ChangeSink(_wire);
        BeginHandshake();
    }

    public IoResult Receive(Span<byte> buffer)
    {
        if (!HasNews && IsEstablished && !_reading && !_closed)
        {
            BeginRead();
        }

        int count = Math.Min(_plainEnd - _plainStart, buffer.Length);
        if (count == 0)
        {
            return Failure is not null ? Failed : _endOfStream ? IoResult.Of(0) : IoResult.Pending;
        }

        _plain.AsSpan(_plainStart, count).CopyTo(buffer);
        _plainStart += count;
        if (_plainStart == _plainEnd)
        {
            ReturnPlain();
        }

        return IoResult.Of(count);
    }

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (Failure is not null)
        {
            return Failed;
        }

        if (!IsEstablished)
        {
            _sendWaits = true;
            return IoResult.Pending;
        }

        _writing = true; // also while the call lasts: the socket below may close within it
        try
        {
            ReadOnlyMemory<byte> record = TakeRecord(buffers);
            _writeCount = record.Length;
            _isLast = IsAll(buffers, record.Length);
            _wire.MoreFollows = !_isLast;
            _write = _tls.WriteAsync(record).ConfigureAwait(false).GetAwaiter();
        }
        catch (Exception e)
        {
            return TakeWriteFailure(e); // the connection broke
        }
        finally
        {
            _wire.MoreFollows = false;
        }

        if (_write.IsCompleted)
        {
            return TakeWrite();
        }

        _write.UnsafeOnCompleted(_writeCompleted);
        return IoResult.Pending;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => throw new InvalidOperationException("TLS is written to from the loop only.");

    /// <summary>Says that nothing more comes (close_notify). The FIN below follows with <see cref="Close"/>.</summary>
    public void ShutdownSend()
    {
        _shutdownWaits = _handshaking;
        if (!IsEstablished || Failure is not null)
        {
            return;
        }

        _orderly = true;
        try
        {
            Task said = _tls.ShutdownAsync();
            if (said.IsFaulted)
            {
                Fail(said.Exception.InnerException!);
            }
        }
        catch (Exception e)
        {
            Fail(e); // the connection broke: nobody is left to be told
        }
    }

    /// <summary>
    /// After <see cref="ShutdownSend"/> the peer gets all that was written, however long it takes; <see cref="Abort"/> ends that. Otherwise
    /// it gets what the kernel takes at once, which is enough for an alert.
    /// </summary>
    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        if (_wireClosed)
        {
            CloseWhenIdle();
        }
        else if (reset || _handshaking)
        {
            _below.Close(reason: null, reset);
        }
        else
        {
            _below.FinishSending();
            if (!_orderly)
            {
                _below.Loop.Post(new CloseBelowWork(_below));
            }
        }
    }

    /// <summary>Resets the connection below, also when <see cref="Close"/> is waiting for its last bytes to go. Any thread.</summary>
    internal void Abort() => _below.RequestAbort(reason: null, reset: true);

    /// <summary>The socket below is closed. What waited for it has been told.</summary>
    internal void OnWireClosed()
    {
        _wireClosed = true;
        if (_awaitsSent)
        {
            _awaitsSent = false;
            _writing = false; // its fate is the connection's, which is told below
        }

        if (_closed)
        {
            CloseWhenIdle();
        }
        else if (!_handshaking)
        {
            Fail(_below.CloseReason ?? new IOException("The connection below TLS was closed."));
            _owner!.OnFailed(Failure!);
        }
    }

    // Bytes at once, or the end, or a failure; else it waits, and holds no buffer while it does.
    private void BeginRead()
    {
        _reading = true; // also while the call lasts: the socket below may close within it
        _filling = false;
        try
        {
            _read = _tls.ReadAsync(Memory<byte>.Empty).ConfigureAwait(false).GetAwaiter();
            TakeRead();
        }
        catch (Exception e)
        {
            EndRead(e); // the connection broke, or the peer does not keep to the protocol
        }
    }

    // The read of no bytes tells that there is something, the one that follows takes it.
    private void TakeRead()
    {
        while (_read.IsCompleted)
        {
            int count = _read.GetResult();
            if (_filling)
            {
                _plainStart = 0;
                _plainEnd = count;
                EndRead(failure: null);
                return;
            }

            _filling = true;
            _plain = ArrayPool<byte>.Shared.Rent(LargestRecord);
            _read = _tls.ReadAsync(_plain).ConfigureAwait(false).GetAwaiter();
        }

        _read.UnsafeOnCompleted(_readCompleted);
    }

    private void EndRead(Exception? failure)
    {
        _reading = false;
        if (failure is not null)
        {
            _plainEnd = _plainStart;
            Fail(failure);
        }
        else if (_plainEnd == 0 && _wire.IsEndReached)
        {
            // RFC 8446, 6.1: without that announcement anybody on the way may have cut the stream short.
            Fail(new IOException("The peer ended the connection without a TLS close_notify: what it sent may have been cut short."));
        }
        else if (_plainEnd == 0)
        {
            _endOfStream = true;
        }

        if (_plainEnd == 0)
        {
            ReturnPlain();
        }

        if (_closed)
        {
            CloseWhenIdle();
        }
    }

    private void FinishRead()
    {
        try
        {
            TakeRead();
        }
        catch (Exception e)
        {
            EndRead(e); // the connection broke, or the peer does not keep to the protocol
        }

        if (!_closed && HasNews)
        {
            _owner!.OnReceivable();
        }
    }

    // One record's worth: many small blocks would make many small records.
    private ReadOnlyMemory<byte> TakeRecord(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        if (buffers.Length == 1 || buffers[0].Length >= LargestRecord)
        {
            return buffers[0][..Math.Min(buffers[0].Length, LargestRecord)];
        }

        _gathered = ArrayPool<byte>.Shared.Rent(LargestRecord);
        int count = 0;
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            int part = Math.Min(buffer.Length, LargestRecord - count);
            buffer.Span[..part].CopyTo(_gathered.AsSpan(count));
            count += part;
        }

        return _gathered.AsMemory(0, count);
    }

    private static bool IsAll(ReadOnlySpan<ReadOnlyMemory<byte>> buffers, int count)
    {
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            count -= buffer.Length;
        }

        return count == 0;
    }

    private IoResult TakeWrite()
    {
        try
        {
            _write.GetResult();
        }
        catch (Exception e)
        {
            return TakeWriteFailure(e); // the connection broke
        }

        // The end of what is to be sent is done when the kernel has it, so that "all was sent" can be said above (L-STR-30).
        if (_isLast && _below.Unsent > 0 && !_wireClosed && _below.WaitSent(_below.Flushed))
        {
            _awaitsSent = true;
            return IoResult.Pending;
        }

        EndWrite();
        return IoResult.Of(_writeCount);
    }

    private IoResult TakeWriteFailure(Exception failure)
    {
        Fail(failure);
        EndWrite();
        return Failed;
    }

    private void EndWrite()
    {
        _writing = false;
        if (_gathered is not null)
        {
            ArrayPool<byte>.Shared.Return(_gathered);
            _gathered = null;
        }

        if (_closed)
        {
            CloseWhenIdle();
        }
    }

    private void FinishWrite()
    {
        bool wasClosed = _closed;
        IoResult done = TakeWrite();
        if (!wasClosed && !done.IsPending)
        {
            _owner!.OnSendReady(done);
        }
    }

    /// <summary>The kernel has taken the last bytes.</summary>
    internal void OnWireSent()
    {
        if (_awaitsSent)
        {
            _awaitsSent = false;
            EndWrite();
            if (!_closed)
            {
                _owner!.OnSendReady(IoResult.Of(_writeCount));
            }
        }
    }

    // The reason of the socket below says more than what the SslStream makes of it.
    private void Fail(Exception failure) => Failure ??= _below.CloseReason ?? failure;

    private void ReturnPlain()
    {
        _plainStart = 0;
        _plainEnd = 0;
        if (_plain is not null)
        {
            ArrayPool<byte>.Shared.Return(_plain);
            _plain = null;
        }
    }

    // Any thread, though it is the loop's but for a loop that somebody else closes.
    private void Continue(ILoopWork work)
    {
        if (_below.Loop.IsOnLoopThread || !_below.Loop.Post(work))
        {
            work.Run();
        }
    }

    private void CloseWhenIdle()
    {
        if (!_wireClosed || _reading || _writing || _ended)
        {
            return;
        }

        _ended = true;
        ReturnPlain();
        if (!_handshaking)
        {
            _tls.Dispose(); // else it is in use on the pool, and ends with the handshake
        }

        _owner!.OnClosed();
    }

    private sealed class ReadWork(TlsChannel channel) : ILoopWork
    {
        public void Run() => channel.FinishRead();
    }

    private sealed class WriteWork(TlsChannel channel) : ILoopWork
    {
        public void Run() => channel.FinishWrite();
    }

    private sealed class CloseBelowWork(StreamSocket below) : ILoopWork
    {
        public void Run() => below.Close(reason: null, reset: false);
    }
}
