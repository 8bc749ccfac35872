namespace LoopBridge.Streams;

/// <remarks>
/// Writes that wait stand in a queue and complete in its order. A write waits for a drain of the socket when it left too much unsent, or
/// when another one waits before it; drains are counted, so that one that was begun by the continuation of another is not taken for
/// drained with it.
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
    /// complete in order.
    /// </summary>
    /// <param name="data">
    /// Copied: the memory is the caller's again when the call returns. An empty write completes after those before it.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting; the bytes are sent all the same, unless it had fired before the call.</param>
    /// <exception cref="StreamClosedException">The stream is closed, or it closed before the peer had taken enough.</exception>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        VerifyAccess();
        VerifyDirection(FileAccess.Write);
        if (IsClosed)
        {
            throw ClosedException();
        }

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

        StreamOperation operation = Acquire(ref _writeOperation, cancellationToken);
        operation.Drain = goOn ? _drains : _drains + 1;
        Append(operation);
        return new ValueTask(operation, operation.Version);
    }

    private void OnSendDrained()
    {
        // A close drops what is unsent, which looks like a drain from here.
        if (_socket.IsClosing)
        {
            return;
        }

        _drains++;
        while (_firstWrite is { } write && write.Drain <= _drains)
        {
            Remove(write, previous: null);
            write.Succeed();
        }
    }

    private void SettleWrites()
    {
        while (FindCancelled(out StreamOperation? previous) is { } write)
        {
            var cancelled = new OperationCanceledException(write.Token);
            Remove(write, previous);
            write.Fail(cancelled);
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
