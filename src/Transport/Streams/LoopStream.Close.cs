using LoopBridge.Drivers;

namespace LoopBridge.Streams;

/// <remarks>
/// From open the way leads over closing (nothing can be written any more; what was written is being sent, or dropped) to closed (the
/// socket is) to settled (everybody was told, in the order of L-STR-38: read, writes, close). Telling comes through the loop, one turn
/// later: the socket may have closed inside a call of the user's.
/// </remarks>
public sealed partial class LoopStream
{
    private TaskCompletionSource? _closeWaiter;
    private CancellationTokenSource? _closedSource;
    private Exception? _error;
    private volatile bool _closing;
    private volatile bool _aborted;
    private volatile bool _settled;
    private bool _abandoned;
    private bool _ended;
    private bool _socketClosed;
    private bool _endCheckQueued;

    /// <summary>Whether the close has begun, from whichever side: writing throws, reading gives what is left. Any thread.</summary>
    public bool IsClosed => _successor?.IsClosed ?? (_closing || _aborted || _socket.IsClosing);

    /// <summary>
    /// Fires on the loop's thread when the stream is closed, after all pending operations have ended. While it is watched, a stream that
    /// has nothing buffered notices that the peer has gone even if no read is pending, by receiving one byte ahead; otherwise only reads
    /// and writes notice. Any thread.
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
    /// Sends what was written, finishes sending (FIN), then closes. A pending read fails; what was received and not read is dropped.
    /// Harmless when repeated.
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
        CloseAfterSending();
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

    private StreamClosedException ClosedException()
        => _error is null ? new StreamClosedException() : new StreamClosedException($"The stream was closed: {_error.Message}", _error);

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
            if (!_socket.IsClosing)
            {
                _socket.FinishSending();
            }
        }
    }

    private void CloseNow(Exception reason)
    {
        _closing = true;
        _socket.Close(reason, reset: false);
    }

    private void OnSocketClosed(Exception? reason)
    {
        _error ??= reason;
        _closing = true;
        _socketClosed = true;
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
        LoopResumption.Run(Loop, static stream => stream._closeWaiter?.SetResult(), this);
        LoopResumption.Run(Loop, static stream => stream._closedSource?.Cancel(), this);
    }

    private void QueueEndCheck()
    {
        if (_closedSource is not null && !_closing && !_endCheckQueued && _buffer.Length == 0)
        {
            _endCheckQueued = true;
            Loop.AtTurnEnd(_sink);
        }
    }

    // L-STR-40. No readiness tells an end from bytes, so one byte is received; with a byte in hand nothing more is, because the end comes
    // after it.
    private void LookForEnd()
    {
        if (_closedSource is null || _closing || _pendingRead is not null || _buffer.Length > 0)
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
