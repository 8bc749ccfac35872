using System.IO.Pipelines;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>One connection as Kestrel sees it: pipes, features and endings over a <see cref="StreamSocket"/>, whose sink it is.</summary>
internal sealed partial class LoopConnection : ConnectionContext, IDuplexPipe, ISocketSink, ISocketObserver
{
    // In the words of Kestrel's socket transport, which people's filters know.
    private const string GracefulEnd = "The Socket transport's send loop completed gracefully.";

    private readonly LoopConnectionSettings _settings;
    private readonly StreamSocket _socket;
    private readonly ConnectionScheduler _scheduler;
    private readonly LoopPipeReader _reader;
    private readonly LoopPipeWriter _writer;
    private Exception? _shutdownReason;
    private string? _connectionId;
    private bool _released;
    private bool _endLogged;
    private volatile bool _socketClosed;

    internal LoopConnection(StreamSocket socket, LoopConnectionSettings settings)
    {
        _settings = settings;
        settings.Retain();
        _socket = socket;
        socket.Observer = this;
        _scheduler = new ConnectionScheduler(this);
        _reader = new LoopPipeReader(this);
        _writer = new LoopPipeWriter(this);
        Transport = this;
        ConnectionClosed = _closedSource.Token;
        _closedToken = settings.AllowHalfClose ? TokenHeld : TokenWaits;
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

    PipeReader IDuplexPipe.Input => _reader;

    PipeWriter IDuplexPipe.Output => _writer;

    internal LoopConnectionSettings Settings => _settings;

    internal StreamSocket Socket => _socket;

    internal ConnectionScheduler Scheduler => _scheduler;

    internal IEventLoop Loop => _socket.Loop;

    /// <summary>What HTTP code keeps from one request of the connection to the next. Theirs, one request at a time.</summary>
    internal object? RequestState { get; set; }

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

    /// <summary>The application's output has failed. As with Kestrel's sockets that is the end of all, for that reason. Any thread.</summary>
    internal void OnOutputFailed(Exception reason)
    {
        if (!_socketClosed)
        {
            Logger.ConnectionError(this, reason);
        }

        End(reason, reset: !_settings.FinOnError);
    }

    // With that reason unless there is one. Any thread.
    private void End(Exception reason, bool reset)
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
        await WaitFinishedAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
        LogEnd(reset: false, GracefulEnd); // unless it was logged: where the peer had ended all, nobody has said so for our side
        if (!Interlocked.Exchange(ref _released, true))
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
        _socket.CloseGently(reason, _reader.WasLeftUnread);
    }

    /// <summary>The connection's end is seen to below, whether or not it is the sink by then.</summary>
    void ISocketSink.OnClosed(Exception? reason)
    {
    }

    void ISocketObserver.OnSocketClosed(Exception? reason)
    {
        lock (_reader)
        {
            _socketClosed = true;
            _borrowedSocket?.Dispose();
        }

        if (reason is not null && Interlocked.CompareExchange(ref _shutdownReason, reason, null) is null)
        {
            Logger.ConnectionBroken(this, reason);
            if (_socket.HasFailedToSend)
            {
                LogEnd(reset: !_settings.FinOnError, reason.Message);
            }
        }

        _reader.CompleteInput(_shutdownReason ?? new ConnectionAbortedException(GracefulEnd));
        _reader.WakeUp();
        _reader.ReleaseIfUnread();
        _writer.OnClosed();
        _settings.OnConnectionEnded();
        OnBegun();
        FireToken();
    }

    /// <summary>
    /// The peer sent FIN, or something that nobody reads any more: the token fires unless it is held, and output stays usable.
    /// </summary>
    internal void OnInputEnded(bool peerFinished)
    {
        if (peerFinished)
        {
            Logger.ConnectionReadFin(this);
        }

        FireToken();
    }

    internal void OnPaused()
    {
        _settings.Member.CountReadPause();
        Logger.ConnectionPause(this);
    }

    internal void OnResumed() => Logger.ConnectionResume(this);

    private void LogEnd(bool reset, string reason)
    {
        if (Interlocked.Exchange(ref _endLogged, true))
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
}
