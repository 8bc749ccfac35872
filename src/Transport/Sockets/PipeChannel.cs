using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <summary>
/// A pipe in the place of a socket: what the engine drives when another middleware (TLS, connection logging) or another transport stands between. The same sinks run over it
/// and notice nothing.
/// </summary>
/// <remarks>The pipes complete on any thread; what comes of it is posted to the loop, and only there state is touched.</remarks>
internal sealed class PipeChannel(IEventLoop loop, IDuplexPipe pipe, EndPoint? local, EndPoint? remote, Action<bool>? close = null) : IStreamChannel
{
    private IStreamChannelOwner? _owner;
    private ReadOnlySequence<byte> _arrived;
    private Exception? _receiveError;
    private bool _endOfStream;
    private bool _hasArrived;
    private bool _reading;
    private bool _sending;
    private bool _finishing;
    private bool _closed;
    private bool _closeReset;

    public EndPoint? LocalEndPoint => local;

    public EndPoint? RemoteEndPoint => remote;

    public RawSocket? Socket => null;

    public bool CanSendFromAnyThread => false;

    public void Start(IStreamChannelOwner owner)
    {
        _owner = owner;
        BeginRead();
    }

    public IoResult Connect(EndPoint endPoint) => IoResult.Failed(SocketError.IsConnected);

    public IoResult Receive(Span<byte> buffer)
    {
        if (_receiveError is not null)
        {
            return IoResult.Failed(ToSocketError(_receiveError));
        }

        if (!_hasArrived)
        {
            return _endOfStream ? IoResult.Of(0) : IoResult.Pending;
        }

        int count = (int)Math.Min(_arrived.Length, buffer.Length);
        _arrived.Slice(0, count).CopyTo(buffer);
        _arrived = _arrived.Slice(count);
        if (_arrived.IsEmpty)
        {
            _hasArrived = false;
            pipe.Input.AdvanceTo(_arrived.Start);
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
        int total = 0;
        try
        {
            foreach (ReadOnlyMemory<byte> buffer in buffers)
            {
                pipe.Output.Write(buffer.Span);
                total += buffer.Length;
            }
        }
        catch (Exception e)
        {
            return IoResult.Failed(ToSocketError(e)); // the pipe was completed under us: the connection is gone
        }

        _sending = true;
        ValueTask<FlushResult> flush = pipe.Output.FlushAsync();
        if (flush.IsCompletedSuccessfully)
        {
            _sending = false;
            return flush.Result.IsCompleted ? IoResult.Failed(SocketError.Shutdown) : IoResult.Of(total);
        }

        _ = AwaitFlushAsync(flush, total);
        return IoResult.Pending;
    }

    public IoResult TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => throw new InvalidOperationException("A pipe is written to from the loop only.");

    public void ShutdownSend()
    {
        // Completing flushes; the middleware or transport below ends its own sending direction in turn.
        _finishing = true;
        pipe.Output.Complete();
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
            pipe.Output.CancelPendingFlush();
        }

        if (_reading)
        {
            pipe.Input.CancelPendingRead();
        }

        CloseWhenIdle();
    }

    private void BeginRead()
    {
        _reading = true;
        _ = ReadAsync();
    }

    private async Task ReadAsync()
    {
        ReadResult result = default;
        Exception? error = null;
        try
        {
            result = await pipe.Input.ReadAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = e; // how the pipe tells that the connection below broke
        }

        loop.Post(new Completion(() => OnRead(result, error)));
    }

    private void OnRead(ReadResult result, Exception? error)
    {
        _reading = false;
        if (error is null && !result.Buffer.IsEmpty)
        {
            _arrived = result.Buffer;
            _hasArrived = true;
        }
        else if (error is null)
        {
            pipe.Input.AdvanceTo(result.Buffer.Start);
        }

        if (_closed)
        {
            CloseWhenIdle();
            return;
        }

        _receiveError = error;
        _endOfStream |= result.IsCompleted;
        if (result.IsCanceled && !_hasArrived && !_endOfStream && error is null)
        {
            BeginRead(); // somebody else's cancellation of a pending read: not an end
            return;
        }

        _owner!.OnReceivable();
    }

    private async Task AwaitFlushAsync(ValueTask<FlushResult> flush, int total)
    {
        IoResult done;
        try
        {
            FlushResult result = await flush.ConfigureAwait(false);
            done = result.IsCompleted ? IoResult.Failed(SocketError.Shutdown) : IoResult.Of(total);
        }
        catch (Exception e)
        {
            done = IoResult.Failed(ToSocketError(e)); // how the pipe tells that the connection below broke
        }

        loop.Post(new Completion(() => OnFlushed(done)));
    }

    private void OnFlushed(IoResult done)
    {
        _sending = false;
        if (_closed)
        {
            CloseWhenIdle();
        }
        else
        {
            _owner!.OnSendReady(done);
        }
    }

    private void CloseWhenIdle()
    {
        if (_reading || _sending)
        {
            return;
        }

        if (_hasArrived)
        {
            pipe.Input.AdvanceTo(_arrived.End);
            _hasArrived = false;
        }

        pipe.Input.Complete();
        if (!_finishing)
        {
            pipe.Output.Complete(_closeReset ? new OperationCanceledException("The connection was aborted.") : null);
        }

        close?.Invoke(_closeReset);
        _owner?.OnClosed();
    }

    private static SocketError ToSocketError(Exception error) => error switch
    {
        SocketException socket => socket.SocketErrorCode,
        Microsoft.AspNetCore.Connections.ConnectionResetException => SocketError.ConnectionReset,
        _ => SocketError.ConnectionAborted,
    };

    private sealed class Completion(Action run) : ILoopWork
    {
        public void Run() => run();
    }
}
