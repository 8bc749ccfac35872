using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

#pragma warning disable CA2012 // each awaiter is consumed once, by TakeRead or TakeFlush

namespace LoopBridge.Sockets;

/// <summary>
/// A pipe in the place of a socket: what the engine drives when another middleware (TLS, connection logging) or another transport stands
/// between. The same sinks run over it and notice nothing.
/// </summary>
/// <remarks>
/// The pipes complete on any thread; what comes of it is posted to the loop, and only there results are taken and state is touched. One
/// read and one flush are under way at most, so that each direction needs only one awaiter, one delegate and one work item for its life.
/// </remarks>
internal sealed class PipeChannel : IStreamChannel
{
    private readonly IEventLoop _loop;
    private readonly IDuplexPipe _pipe;
    private readonly Action<bool>? _close;
    private readonly ReadWork _readWork;
    private readonly FlushWork _flushWork;
    private readonly Action _readCompleted;
    private readonly Action _flushCompleted;
    private IStreamChannelOwner? _owner;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _read;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private ReadOnlySequence<byte> _arrived;
    private Exception? _receiveError;
    private int _flushing;
    private bool _endOfStream;
    private bool _reading;
    private bool _sending;
    private bool _finishing;
    private bool _closed;
    private bool _ended;
    private bool _closeReset;

    /// <param name="loop">Where it lives.</param>
    /// <param name="pipe">Its two directions; completed by the channel when it closes.</param>
    /// <param name="local">What to tell as the local end.</param>
    /// <param name="remote">What to tell as the remote end.</param>
    /// <param name="close">Ends the connection below, after the pipes; told whether by reset.</param>
    internal PipeChannel(IEventLoop loop, IDuplexPipe pipe, EndPoint? local, EndPoint? remote, Action<bool>? close = null)
    {
        _loop = loop;
        _pipe = pipe;
        _close = close;
        LocalEndPoint = local;
        RemoteEndPoint = remote;
        _readWork = new ReadWork(this);
        _flushWork = new FlushWork(this);
        _readCompleted = () => Continue(_readWork);
        _flushCompleted = () => Continue(_flushWork);
    }

    public EndPoint? LocalEndPoint { get; }

    public EndPoint? RemoteEndPoint { get; }

    public RawSocket? Socket => null;

    public bool CanSendFromAnyThread => false;

    private bool HasNews => !_arrived.IsEmpty || _endOfStream || _receiveError is not null;

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        BeginRead();
        if (!_reading)
        {
            _loop.Post(_readWork); // there is something already; told in a turn of its own
        }
    }

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public IoResult Receive(Span<byte> buffer)
    {
        if (_arrived.IsEmpty)
        {
            return _receiveError is not null ? IoResult.Failed(ToSocketError(_receiveError))
                : _endOfStream ? IoResult.Of(0)
                : IoResult.Pending;
        }

        int count = (int)Math.Min(_arrived.Length, buffer.Length);
        _arrived.Slice(0, count).CopyTo(buffer);
        _arrived = _arrived.Slice(count);
        if (_arrived.IsEmpty)
        {
            _pipe.Input.AdvanceTo(_arrived.Start);
            _arrived = default;
            if (!_endOfStream)
            {
                BeginRead();
            }
        }

        return IoResult.Of(count);
    }

    public IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        _flushing = 0;
        try
        {
            foreach (ReadOnlyMemory<byte> buffer in buffers)
            {
                _pipe.Output.Write(buffer.Span);
                _flushing += buffer.Length;
            }

            _flush = _pipe.Output.FlushAsync().ConfigureAwait(false).GetAwaiter();
        }
        catch (Exception e)
        {
            return IoResult.Failed(ToSocketError(e)); // the pipe was completed under us: the connection is gone
        }

        if (_flush.IsCompleted)
        {
            return TakeFlush();
        }

        _sending = true;
        _flush.UnsafeOnCompleted(_flushCompleted);
        return IoResult.Pending;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => throw new InvalidOperationException("A pipe is written to from the loop only.");

    public void ShutdownSend()
    {
        // Completing flushes; the middleware or transport below ends its own sending direction in turn.
        _finishing = true;
        _pipe.Output.Complete();
    }

    public void Close(bool reset)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        _closeReset = reset;
        if (_sending)
        {
            _pipe.Output.CancelPendingFlush();
        }

        if (_reading)
        {
            _pipe.Input.CancelPendingRead();
        }

        CloseWhenIdle();
    }

    // What is there already is taken at once; the rest comes through OnRead.
    private void BeginRead()
    {
        do
        {
            try
            {
                _read = _pipe.Input.ReadAsync().ConfigureAwait(false).GetAwaiter();
            }
            catch (Exception e)
            {
                _receiveError = e; // the pipe was completed under us: the connection is gone
                return;
            }

            if (!_read.IsCompleted)
            {
                _reading = true;
                _read.UnsafeOnCompleted(_readCompleted);
                return;
            }

            TakeRead();
        }
        while (!HasNews); // somebody else's cancellation of a pending read: not an end
    }

    private void TakeRead()
    {
        _reading = false;
        try
        {
            ReadResult result = _read.GetResult();
            _arrived = result.Buffer;
            _endOfStream = result.IsCompleted;
            if (_arrived.IsEmpty)
            {
                _pipe.Input.AdvanceTo(_arrived.Start);
                _arrived = default;
            }
        }
        catch (Exception e)
        {
            _receiveError = e; // how the pipe tells that the connection below broke
        }
    }

    private IoResult TakeFlush()
    {
        _sending = false;
        try
        {
            // "Completed" is the reader's end: nobody will take these bytes.
            return _flush.GetResult().IsCompleted ? IoResult.Failed(SocketError.Shutdown) : IoResult.Of(_flushing);
        }
        catch (Exception e)
        {
            return IoResult.Failed(ToSocketError(e)); // how the pipe tells that the connection below broke
        }
    }

    // Any thread.
    private void Continue(ILoopWork work)
    {
        if (!_loop.Post(work))
        {
            // The loop was closed while the cancelled operation was on its way back. What is left of the close touches no loop; only the
            // other direction may come as well.
            lock (_readWork)
            {
                work.Run();
            }
        }
    }

    private void OnRead()
    {
        if (_reading)
        {
            if (!_read.IsCompleted)
            {
                return; // the news of the start, which the sink had taken before; the read after it tells by itself
            }

            TakeRead();
        }

        if (_closed)
        {
            CloseWhenIdle();
            return;
        }

        if (!HasNews)
        {
            BeginRead();
        }

        if (HasNews)
        {
            _owner!.OnReceivable();
        }
    }

    private void OnFlushed()
    {
        IoResult done = TakeFlush();
        if (_closed)
        {
            CloseWhenIdle();
        }
        else
        {
            _owner!.OnSendProgress(done);
        }
    }

    private void CloseWhenIdle()
    {
        if (_reading || _sending || _ended)
        {
            return;
        }

        _ended = true;
        if (!_arrived.IsEmpty)
        {
            _pipe.Input.AdvanceTo(_arrived.End);
            _arrived = default;
        }

        _pipe.Input.Complete();
        if (!_finishing)
        {
            _pipe.Output.Complete(_closeReset ? new OperationCanceledException("The connection was aborted.") : null);
        }

        try
        {
            _close?.Invoke(_closeReset);
        }
        finally
        {
            _owner?.OnClosed();
        }
    }

    private static SocketError ToSocketError(Exception error) => error switch
    {
        SocketException socket => socket.SocketErrorCode,
        Microsoft.AspNetCore.Connections.ConnectionResetException => SocketError.ConnectionReset,
        _ => SocketError.ConnectionAborted,
    };

    private sealed class ReadWork(PipeChannel channel) : ILoopWork, IOnBehalf
    {
        object? IOnBehalf.Behalf => channel._owner;

        public void Run() => channel.OnRead();
    }

    private sealed class FlushWork(PipeChannel channel) : ILoopWork, IOnBehalf
    {
        object? IOnBehalf.Behalf => channel._owner;

        public void Run() => channel.OnFlushed();
    }
}
