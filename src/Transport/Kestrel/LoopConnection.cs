using System.IO.Pipelines;
using System.Net;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>One connection as Kestrel sees it: pipes, features and endings over a <see cref="StreamSocket"/>, whose sink it is.</summary>
internal sealed partial class LoopConnection : ConnectionContext, ISocketSink, ISocketObserver, IThreadPoolWorkItem
{
    private const string GracefulEnd = "The transport's send side completed gracefully.";
    private const int TokenWaits = 0;
    private const int TokenFiring = 1;
    private const int TokenFired = 2;

    private readonly LoopConnectionSettings _settings;
    private readonly StreamSocket _socket;
    private readonly ConnectionScheduler _scheduler;
    private readonly LoopPipeReader _reader;
    private readonly LoopPipeWriter _writer;
    private readonly LoopDuplexPipe _pipes;
    private readonly CancellationTokenSource _closedSource = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _shutdownReason;
    private string? _connectionId;
    private int _closedToken;
    private int _released;
    private int _endLogged;
    private volatile bool _socketClosed;

    internal LoopConnection(StreamSocket socket, LoopConnectionSettings settings)
    {
        _settings = settings;
        settings.Retain();
        _socket = socket;
        socket.Observer = this;
        _scheduler = new ConnectionScheduler(this, socket, settings);
        _reader = new LoopPipeReader(this, socket, settings, _scheduler);
        _writer = new LoopPipeWriter(this, socket, _scheduler);
        _pipes = new LoopDuplexPipe(_reader, _writer);
        Transport = _pipes;
        ConnectionClosed = _closedSource.Token;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
    }

    public override string ConnectionId
    {
        // The loop's log and Kestrel may both be the first to ask: one id for both.
        get => _connectionId ?? Interlocked.CompareExchange(ref _connectionId, ConnectionIds.Next(), null) ?? _connectionId;
        set => _connectionId = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    internal IEventLoop Loop => _socket.Loop;

    private ILogger Logger => _settings.Logger;

    /// <summary>The addresses of an outbound connection are known when it is made. Loop thread.</summary>
    internal void OnConnected()
    {
        LocalEndPoint = _socket.LocalEndPoint;
        RemoteEndPoint = _socket.RemoteEndPoint;
    }

    /// <summary>
    /// Ends the connection at once. With a reason the peer sees RST and every read fails with that very reason; null, which Kestrel passes
    /// after the peer has finished, is a quiet close.
    /// </summary>
    public override void Abort(ConnectionAbortedException? abortReason)
    {
        End(abortReason ?? new ConnectionAbortedException(GracefulEnd), reset: abortReason is not null && !_settings.FinOnError);
    }

    /// <summary>Ends the connection at once, with that reason unless there is one. Any thread.</summary>
    internal void End(ConnectionAbortedException reason, bool reset)
    {
        // The first reason wins, and stands before the socket closes: a read that fails because of it must find it.
        bool first = Interlocked.CompareExchange(ref _shutdownReason, reason, null) is null;
        if (first && !_socketClosed)
        {
            LogEnd(reset, reason.Message);
        }

        _socket.RequestAbort(reason, reset);
    }

    /// <summary>
    /// Completes both ends of the pipes the connection was born with, sends what was flushed, and ends when all is closed. Harmless when
    /// repeated.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        _reader.Complete();
        _writer.Complete();
        await _finished.Task.ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _released, 1) == 0)
        {
            _settings.Release();
        }
    }

    // ---- the socket's sink, all on the loop's thread

    void ISocketSink.OnReceivable() => _reader.OnReceivable();

    void ISocketSink.OnSendDrained() => _writer.OnDrained();

    /// <summary>The application has completed its output: everything is sent, and the whole connection ends with it.</summary>
    void ISocketSink.OnSendFinished()
    {
        Exception reason = Interlocked.CompareExchange(ref _shutdownReason, new ConnectionAbortedException(GracefulEnd), null) ?? _shutdownReason!;
        LogEnd(reset: false, reason.Message);
        _socket.Close(reason, reset: false);
    }

    /// <summary>The connection's end is seen to below, whether or not it is the sink by then.</summary>
    void ISocketSink.OnClosed(Exception? reason)
    {
    }

    void ISocketObserver.OnSocketClosed(Exception? reason)
    {
        lock (_finished)
        {
            _socketClosed = true;
            _borrowedSocket?.Dispose();
        }

        if (reason is not null && Interlocked.CompareExchange(ref _shutdownReason, reason, null) is null)
        {
            Logger.ConnectionBroken(this, reason);
        }

        _reader.CompleteInput(_shutdownReason ?? new ConnectionAbortedException(GracefulEnd));
        _reader.WakeUp();
        _reader.ReleaseIfUnread();
        _writer.OnClosed();
        _settings.OnConnectionEnded();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The peer sent FIN, or something that nobody reads any more: the token fires, output stays usable.</summary>
    internal void OnInputEnded(bool peerFinished)
    {
        if (peerFinished)
        {
            Logger.ConnectionReadFin(this);
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    internal void OnPaused() => Logger.ConnectionPause(this);

    internal void OnResumed() => Logger.ConnectionResume(this);

    /// <summary>The end of the connection, on the pool: what hangs on the token may block, and must not block a loop.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        int before = Interlocked.CompareExchange(ref _closedToken, TokenFiring, TokenWaits);
        if (before == TokenWaits)
        {
            try
            {
                _closedSource.Cancel();
            }
            catch (Exception e)
            {
                Logger.ConnectionClosedCallbackFailed(ConnectionId, e); // user code that hung on the token
            }

            Interlocked.Exchange(ref _closedToken, TokenFired); // before the look at the socket, as its close comes before the look at the token
        }

        // Where the peer's FIN fires the token on another thread at this moment, that thread finishes, so that Dispose never returns before
        // the token has fired.
        if (_socketClosed && before != TokenFiring)
        {
            _finished.TrySetResult();
        }
    }

    private void LogEnd(bool reset, string reason)
    {
        if (Interlocked.Exchange(ref _endLogged, 1) != 0)
        {
            return;
        }

        if (reset)
        {
            Logger.ConnectionWriteRst(this, reason);
        }
        else
        {
            Logger.ConnectionWriteFin(this, reason);
        }
    }

    private sealed class LoopDuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
