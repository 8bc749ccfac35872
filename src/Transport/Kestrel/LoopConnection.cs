using System.IO.Pipelines;
using System.Net;
using LoopBridge.Loops;
using LoopBridge.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>One connection as Kestrel sees it: pipes, features and endings over a <see cref="StreamSocket"/>, whose sink it is.</summary>
internal sealed partial class LoopConnection : ConnectionContext, ISocketSink, IThreadPoolWorkItem
{
    private static readonly string GracefulEnd = "The transport's send side completed gracefully.";

    private readonly LoopConnectionSettings _settings;
    private readonly StreamSocket _socket;
    private readonly LoopPipeReader _reader;
    private readonly LoopPipeWriter _writer;
    private readonly LoopDuplexPipe _pipes;
    private readonly CancellationTokenSource _closedSource = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ISocketSink? _handler;
    private Exception? _shutdownReason;
    private string? _connectionId;
    private int _closedTokenFired;
    private int _endLogged;
    private volatile bool _socketClosed;

    internal LoopConnection(StreamSocket socket, LoopConnectionSettings settings)
    {
        _settings = settings;
        _socket = socket;
        _reader = new LoopPipeReader(this, socket, settings);
        _writer = new LoopPipeWriter(socket, settings.Scheduling);
        _pipes = new LoopDuplexPipe(_reader, _writer);
        Transport = _pipes;
        ConnectionClosed = _closedSource.Token;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
    }

    public override string ConnectionId
    {
        get => _connectionId ??= ConnectionIds.Next();
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
    /// Ends the connection at once. With a reason the peer sees RST and every read fails with that very reason; null, which Kestrel passes after the peer has finished, is a quiet close.
    /// </summary>
    public override void Abort(ConnectionAbortedException? abortReason)
    {
        // The first reason wins, and stands before the socket closes: a read that fails because of it must find it.
        Exception reason = abortReason ?? new ConnectionAbortedException(GracefulEnd);
        bool first = Interlocked.CompareExchange(ref _shutdownReason, reason, null) is null;
        bool reset = abortReason is not null && !_settings.FinOnError;
        if (first && !_socketClosed)
        {
            LogEnd(reset, reason.Message);
        }

        _socket.RequestAbort(reason, reset);
    }

    /// <summary>Completes both ends of the pipes the connection was born with, sends what was flushed, and ends when all is closed. Harmless when repeated.</summary>
    public override async ValueTask DisposeAsync()
    {
        _reader.Complete();
        _writer.Complete();
        await _finished.Task.ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    // ---- the socket's sink, all on the loop's thread

    void ISocketSink.OnReceivable()
    {
        if (_handler is { } handler)
        {
            handler.OnReceivable();
        }
        else
        {
            _reader.OnReceivable();
        }
    }

    void ISocketSink.OnSendDrained()
    {
        if (_handler is { } handler)
        {
            handler.OnSendDrained();
        }
        else
        {
            _writer.OnDrained();
        }
    }

    void ISocketSink.OnSendFinished()
    {
        if (_handler is { } handler)
        {
            handler.OnSendFinished();
            return;
        }

        // The application has completed its output: everything is sent, and the whole connection ends with it.
        Exception reason = Interlocked.CompareExchange(ref _shutdownReason, new ConnectionAbortedException(GracefulEnd), null) ?? _shutdownReason!;
        LogEnd(reset: false, reason.Message);
        _socket.Close(reason, reset: false);
    }

    void ISocketSink.OnClosed(Exception? reason)
    {
        _socketClosed = true;
        if (reason is not null && Interlocked.CompareExchange(ref _shutdownReason, reason, null) is null)
        {
            Logger.ConnectionBroken(this, reason);
        }

        _borrowedSocket?.Dispose();
        if (_handler is { } handler)
        {
            handler.OnClosed(reason);
        }

        _reader.CompleteInput(_shutdownReason ?? new ConnectionAbortedException(GracefulEnd));
        _reader.WakeUp();
        _reader.ReleaseIfUnread();
        _writer.OnClosed();
        _settings.Member.Release();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The peer sent FIN: the token fires, output stays usable.</summary>
    internal void OnPeerFinished()
    {
        Logger.ConnectionReadFin(this);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    internal void OnPaused() => Logger.ConnectionPause(this);

    internal void OnResumed() => Logger.ConnectionResume(this);

    /// <summary>The end of the connection, on the pool: what hangs on the token may block, and must not block a loop.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        if (Interlocked.Exchange(ref _closedTokenFired, 1) == 0)
        {
            try
            {
                _closedSource.Cancel();
            }
            catch (Exception e)
            {
                Logger.ConnectionClosedCallbackFailed(ConnectionId, e); // user code that hung on the token
            }
        }

        if (_socketClosed)
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
