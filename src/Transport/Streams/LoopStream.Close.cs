using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Streams;

/// <remarks>
/// From open the way leads over closing (nothing can be written any more; what was written is being sent, or dropped) to closed (the
/// socket is) to settled (everybody was told, in the order of L-STR-38: read, writes, connect, close). Telling comes through the loop, one turn
/// later: the socket may have closed inside a call of the user's.
/// </remarks>
public sealed partial class LoopStream
{
    private TaskCompletionSource? _closeWaiter;
    private CancellationTokenSource? _closedSource;
    private List<Action<Exception?>>? _closeCallbacks;
    private Exception? _error;
    private volatile bool _closing;
    private volatile bool _aborted;
    private volatile bool _settled;
    private bool _abandoned;
    private bool _ended;
    private bool _finishing;
    private bool _sendFinished;
    private bool _socketClosed;
    private bool _endCheckQueued;

    /// <summary>Whether the close has begun, from whichever side: writing throws, reading gives what is left. Any thread.</summary>
    public bool IsClosed => _successor?.IsClosed ?? (_closing || _aborted || _socket.IsClosing);

    /// <summary>
    /// What closed the stream: a <see cref="System.Net.Sockets.SocketException"/>, whose number is the system's, a
    /// <see cref="Microsoft.AspNetCore.Connections.ConnectionResetException"/> around one, a
    /// <see cref="Resolvers.NameResolutionException"/>, or a limit that was exceeded. Null while it is open, and after an orderly end from
    /// whichever side. Any thread.
    /// </summary>
    public Exception? Error => _successor is { } successor ? successor.Error : _error;

    /// <summary>
    /// Fires on the loop's thread when the stream is closed, after all pending operations have ended. While it is watched, a stream that
    /// has nothing buffered notices that the peer has gone even if no read is pending, by receiving one byte ahead; otherwise only reads
    /// and writes notice. A callback registered after the close runs within the registration, as with every token;
    /// <see cref="OnClosed"/> never does that. Any thread.
    /// </summary>
    public CancellationToken Closed
    {
        get
        {
            if (_closedSource is null && Interlocked.CompareExchange(ref _closedSource, new CancellationTokenSource(), null) is null)
            {
                _sink.Request(); // the end may be there already, and would not be reported again
            }

            if (_successor is { } successor)
            {
                return successor.Closed;
            }

            if (_settled)
            {
                _closedSource.Cancel();
            }

            return _closedSource.Token;
        }
    }

    /// <summary>
    /// Runs <paramref name="callback"/> on the loop's thread, once, when the stream is closed and all pending operations have ended; in the
    /// next turn if that was so already. Several run in the order they came. The stream is watched from here on, as through
    /// <see cref="Closed"/>.
    /// </summary>
    /// <param name="callback">Gets <see cref="Error"/>: null after an orderly end. What it throws goes to the loop's exception handler.</param>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public void OnClosed(Action<Exception?> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        if (_successor is { } successor)
        {
            successor.OnClosed(callback);
            return;
        }

        VerifyAccess();
        if (_settled)
        {
            Loop.AddCallback(() => callback(_error));
            return;
        }

        (_closeCallbacks ??= []).Add(callback);
        _sink.Request(); // the end may be there already, and would not be reported again
    }

    /// <summary>
    /// Ends the writing direction: sends what was written, then tells the peer that nothing more comes (FIN). Reading goes on. The stream
    /// closes when the peer finishes too. Harmless when repeated.
    /// </summary>
    /// <remarks>
    /// Not in Tornado; meant for protocols that answer to the end of a request. <see cref="FlushAsync"/> tells when the bytes have left.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public void FinishWriting()
    {
        VerifyAccess();
        if (_finishing || IsClosed)
        {
            return;
        }

        if (!CanRead)
        {
            CloseAfterSending(); // the writing end of a pipe has no other direction to stay open for
            return;
        }

        _finishing = true;
        _socket.FinishSending();
    }

    /// <summary>
    /// Sends what was written, finishes sending (FIN), then closes. A pending read fails; what was received and not read is dropped.
    /// While the stream is still connecting, that is given up. Harmless when repeated.
    /// </summary>
    /// <remarks>Takes as long as the peer takes to receive: <see cref="Abort"/> ends the wait.</remarks>
    /// <returns>Done when the stream is closed, whether or not everything could be sent.</returns>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public ValueTask CloseAsync()
    {
        if (_successor is { } successor)
        {
            return successor.CloseAsync();
        }

        VerifyAccess();
        Abandon();
        if (IsConnecting)
        {
            CloseNow(reason: null);
        }
        else
        {
            CloseAfterSending();
        }

        if (_settled)
        {
            return ValueTask.CompletedTask;
        }

        _closeWaiter ??= new TaskCompletionSource();
        return new ValueTask(_closeWaiter.Task);
    }

    /// <summary>
    /// Ends the connection at once with a reset; unsent bytes are dropped, and pending operations fail. Any thread. Harmless when
    /// repeated.
    /// </summary>
    public void Abort()
    {
        if (_successor is { } successor)
        {
            successor.Abort();
            return;
        }

        _aborted = true;
        _socket.RequestAbort(reason: null, reset: true);
        _tls?.Abort();
    }

    /// <summary>As <see cref="CloseAsync"/>.</summary>
    public ValueTask DisposeAsync() => CloseAsync();

    private bool IsCloseWatched => _closedSource is not null || _closeCallbacks is not null;

    private StreamClosedException ClosedException() => (_connectTarget, _error) switch
    {
        (null, null) => new StreamClosedException(),
        (null, _) => new StreamClosedException($"The stream was closed: {_error.Message}", _error),
        (_, null) => new StreamClosedException($"The stream was closed before it was connected to {_connectTarget}."),
        _ => new StreamClosedException($"Could not connect to {_connectTarget}: {_error.Message}", _error),
    };

    // This side is done with the stream: what it has not read by now, it does not want.
    private void Abandon()
    {
        if (!_abandoned)
        {
            _abandoned = true;
            _buffer.Release();
            if (_pendingRead is not null)
            {
                _sink.Request();
            }
        }
    }

    private void CloseAfterSending()
    {
        if (!_closing)
        {
            _closing = true;
            if (_sendFinished)
            {
                _socket.Close(reason: null, reset: false);
            }
            else if (!_socket.IsClosing)
            {
                _socket.FinishSending();
            }
        }
    }

    private void OnSendFinished()
    {
        _sendFinished = true;
        if (_closing)
        {
            _socket.Close(reason: null, reset: false);
        }
    }

    private void CloseNow(Exception? reason)
    {
        _closing = true;
        _socket.Close(reason, reset: false);
    }

    private void OnSocketClosed(Exception? reason)
    {
        LogClose(reason);
        _error ??= reason;
        _closing = true;
        _socketClosed = true;
        _resolving?.Cancel();
        if (_aborted)
        {
            Abandon();
        }

        _sink.Request();
    }

    private void SettleClose()
    {
        if (!_socketClosed || _settled)
        {
            return;
        }

        _settled = true;
        Interlocked.MemoryBarrier(); // who asks for Closed publishes his source and then looks at _settled; this is the other way round
        foreach (Action<Exception?> callback in _closeCallbacks ?? [])
        {
            LoopResumption.Run(Loop, static call => call.callback(call._error), (callback, _error));
        }

        _closeCallbacks = null;
        LoopResumption.Run(Loop, static stream => stream._closedSource?.Cancel(), this);
        LoopResumption.Run(Loop, static stream => stream._closeWaiter?.SetResult(), this);
    }

    // L-STR-21, 23. What a call of the user's met is thrown from it, and what this side decided was logged where it did.
    private void LogClose(Exception? reason)
    {
        if (reason is null || _error is not null || _inCall)
        {
            return;
        }

        if (_connectTarget is not null)
        {
            _logger.ConnectFailed(_connectTarget, reason.Message);
        }
        else if (reason is ConnectionResetException or SocketException { SocketErrorCode: SocketError.TimedOut })
        {
            _logger.PeerReset(RemoteEndPoint, reason.Message);
        }
        else if (reason is SocketException)
        {
            _logger.StreamBroken(RemoteEndPoint, reason.Message);
        }
    }

    private void QueueEndCheck()
    {
        if (IsCloseWatched && !_closing && !_endCheckQueued && _buffer.Length == 0)
        {
            _endCheckQueued = true;
            Loop.AtTurnEnd(_sink);
        }
    }

    // L-STR-40. No readiness tells an end from bytes, so one byte is received; with a byte in hand nothing more is, because the end comes
    // after it.
    private void LookForEnd()
    {
        if (!IsCloseWatched || _closing || _pendingRead is not null || _buffer.Length > 0)
        {
            return;
        }

        Span<byte> one = stackalloc byte[1];
        IoResult result = _socket.Receive(one);
        if (!result.IsPending)
        {
            Received(result);
            _buffer.Append(one[..result.Count]);
            _lookedAhead = result.Count > 0;
        }
    }
}
