namespace LoopBridge.Streams;

/// <remarks>
/// Writes and flushes that wait stand in a queue and complete in its order. A write waits for a drain of the socket when it left too much
/// unsent, or when another one waits before it; drains are counted, so that one that was begun by the continuation of another is not taken
/// for drained with it. A flush waits until the kernel has taken the stream's bytes up to a position.
/// </remarks>
public sealed partial class LoopStream
{
    private StreamOperation? _writeOperation;
    private StreamOperation? _firstWrite;
    private StreamOperation? _lastWrite;
    private long _drains;

    /// <summary>
    /// Writes. Done at once while little is unsent, otherwise when the peer has taken enough (backpressure): await it before writing
    /// more. Bytes leave at the end of the loop's turn, together with what else the turn wrote. Several writes may be pending and
    /// complete in order. That a write is done does not mean that its bytes have left: <see cref="FlushAsync"/> tells that.
    /// </summary>
    /// <param name="data">
    /// Copied: the memory is the caller's again when the call returns. An empty write completes after those before it.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting; the bytes are sent all the same, unless it had fired before the call.</param>
    /// <exception cref="StreamClosedException">The stream is closed, or it closed before the peer had taken enough.</exception>
    /// <exception cref="StreamBufferFullException">
    /// More would wait than <see cref="LoopStreamOptions.MaxWriteBufferSize"/>. Nothing was written, and the stream is open as before.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="FinishWriting"/> was called before, or the caller is not on the loop's thread.
    /// </exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        VerifyWrite(data.Length);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        _socket.Write(data.Span);
        bool goOn = _socket.Flush();
        if (goOn && _firstWrite is null)
        {
            return ValueTask.CompletedTask;
        }

        return Wait(drain: goOn ? _drains : _drains + 1, position: 0, cancellationToken);
    }

    /// <summary>
    /// Waits until the operating system has taken everything that was written before. So the call after a write, whether that was awaited
    /// or not, tells when its own last byte has gone. Sends nothing by itself: bytes leave without it.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting; the bytes are sent all the same.</param>
    /// <exception cref="StreamClosedException">The stream closed before, and not all was sent.</exception>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        VerifyAccess();
        if (_socketClosed && !_sendFinished)
        {
            throw ClosedException();
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return _firstWrite is null && !IsWriting
            ? ValueTask.CompletedTask
            : Wait(_drains, _socket.Flushed, cancellationToken);
    }

    private void VerifyWrite(int length)
    {
        VerifyAccess();
        VerifyDirection(FileAccess.Write);
        if (IsClosed)
        {
            throw ClosedException();
        }

        if (_finishing)
        {
            throw new InvalidOperationException("FinishWriting was called: nothing can be written any more.");
        }

        if (_maxWriteBufferSize is { } limit && _socket.Unsent + length > limit)
        {
            throw new StreamBufferFullException(
                $"{_socket.Unsent} bytes wait for {RemoteEndPoint} already, and {length} more would exceed the limit of {limit} bytes: "
                + "await the writes before, or raise LoopStreamOptions.MaxWriteBufferSize.");
        }
    }

    private ValueTask Wait(long drain, long position, CancellationToken cancellationToken)
    {
        StreamOperation operation = Acquire(ref _writeOperation, cancellationToken);
        operation.Drain = drain;
        operation.Position = position;
        Append(operation);
        if (_firstWrite == operation)
        {
            WaitForFirst();
        }

        return new ValueTask(operation, operation.Version);
    }

    // The socket is asked about one position at a time. When it was reached already, a turn of its own brings the end.
    private void WaitForFirst()
    {
        if (_firstWrite is { Position: > 0 and long position } && !_socket.WaitSent(position))
        {
            _sink.Request();
        }
    }

    private void OnSendDrained()
    {
        // A close drops what is unsent, which looks like a drain from here.
        if (_socket.IsClosing)
        {
            return;
        }

        _drains++;
        CompleteWrites();
    }

    private void OnSent()
    {
        if (!_socket.IsClosing)
        {
            CompleteWrites();
        }
    }

    private void CompleteWrites()
    {
        while (_firstWrite is { } write && write.Drain <= _drains && write.Position <= _socket.Sent)
        {
            Remove(write, previous: null);
            write.Succeed();
        }

        WaitForFirst();
    }

    private void SettleWrites()
    {
        while (FindCancelled(out StreamOperation? previous) is { } write)
        {
            var cancelled = new OperationCanceledException(write.Token);
            Remove(write, previous);
            write.Fail(cancelled);
        }

        if (!_socket.IsClosing)
        {
            CompleteWrites();
        }

        while (_socketClosed && _firstWrite is { } write)
        {
            Remove(write, previous: null);
            write.Fail(ClosedException());
        }
    }

    private StreamOperation? FindCancelled(out StreamOperation? previous)
    {
        previous = null;
        StreamOperation? write = _firstWrite;
        while (write is not null && !write.Token.IsCancellationRequested)
        {
            previous = write;
            write = write.Next;
        }

        return write;
    }

    private void Append(StreamOperation write)
    {
        if (_lastWrite is null)
        {
            _firstWrite = write;
        }
        else
        {
            _lastWrite.Next = write;
        }

        _lastWrite = write;
    }

    private void Remove(StreamOperation write, StreamOperation? previous)
    {
        if (previous is null)
        {
            _firstWrite = write.Next;
        }
        else
        {
            previous.Next = write.Next;
        }

        if (_lastWrite == write)
        {
            _lastWrite = previous;
        }

        write.Next = null;
    }
}
