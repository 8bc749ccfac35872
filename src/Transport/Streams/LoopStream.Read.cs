using LoopBridge.Drivers;

namespace LoopBridge.Streams;

public sealed partial class LoopStream
{
    // With chunks of 64 KiB a megabyte for each turn: a peer that sends without pause must not keep the loop from the others.
    private const int ReceivesPerTurn = 16;

    private StreamOperation? _readOperation;
    private StreamOperation? _pendingRead;
    private ReadRequest _request;
    private int _receivesLeft = ReceivesPerTurn;
    private bool _yielded;
    private bool _inCall;

    /// <summary>Fills all of <paramref name="buffer"/>. An empty one is full at once.</summary>
    /// <param name="buffer">Belongs to the stream until the read is done.</param>
    /// <param name="cancellationToken">Gives up; what was received stays in the stream for the next read.</param>
    /// <exception cref="StreamClosedException">The stream is closed or ended first; the bytes that came are left to be read.</exception>
    /// <exception cref="InvalidOperationException">
    /// Another read is pending, which goes on; or the caller is not on the loop's thread.
    /// </exception>
    public ValueTask ReadExactlyAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        VerifyRead();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return StartRead(ReadRequest.Exactly(buffer), cancellationToken, out _) is { } operation
            ? new ValueTask(operation, operation.Version)
            : ValueTask.CompletedTask;
    }

    /// <summary>Reads what is there, or else what comes next, up to the length of <paramref name="buffer"/>.</summary>
    /// <remarks>
    /// The end of the stream is the value zero, as everywhere in .NET, and where Tornado throws; each further call gives zero again. All
    /// other ends are exceptions.
    /// </remarks>
    /// <param name="buffer">Belongs to the stream until the read is done. If it is empty, the read is done at once.</param>
    /// <param name="cancellationToken">Gives up; what was received stays in the stream for the next read.</param>
    /// <returns>How many bytes were read; zero at the end of the stream.</returns>
    /// <exception cref="StreamClosedException">The stream was closed by this side, by a reset or by another error.</exception>
    /// <exception cref="InvalidOperationException">
    /// Another read is pending, which goes on; or the caller is not on the loop's thread.
    /// </exception>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        VerifyRead();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        return StartRead(ReadRequest.Partial(buffer), cancellationToken, out ReadRequest done) is { } operation
            ? new ValueTask<int>(operation, operation.Version)
            : new ValueTask<int>(done.Count);
    }

    private void VerifyRead()
    {
        VerifyAccess();
        VerifyDirection(FileAccess.Read);
        if (_pendingRead is not null)
        {
            throw new InvalidOperationException("Another read of this stream is pending: one at a time.");
        }
    }

    // Null: done within the call. That the stream is closed is thrown from here (L-STR-11, L-STR-20).
    private StreamOperation? StartRead(in ReadRequest request, CancellationToken cancellationToken, out ReadRequest done)
    {
        _request = request;
        _lookedAhead = false;
        _inCall = true;
        bool isDone = TryRead();
        _inCall = false;
        if (!isDone)
        {
            done = default;
            return _pendingRead = Acquire(ref _readOperation, cancellationToken);
        }

        done = TakeRequest();
        if (done.Failure is { } failure && !done.IsLimitReached)
        {
            throw failure;
        }

        QueueEndCheck();
        return null;
    }

    /// <summary>Goes on with the request as far as bytes go. True: it is done, one way or the other.</summary>
    private bool TryRead()
    {
        if (_abandoned)
        {
            return FailRead(ClosedException());
        }

        bool isQuiet = false;
        while (true)
        {
            bool isFull = _buffer.Length > _maxBufferSize;
            bool isOver = _ended || _error is not null || _socketClosed;
            switch (_request.Proceed(ref _buffer, isQuiet, mustDecide: isFull || isOver))
            {
                case ReadProgress.Done:
                    return true;
                case ReadProgress.LimitReached:
                    return GiveUp(_request.LimitError());
                case ReadProgress.NeedsMore when _ended:
                    return _request.ProceedAtEnd(ref _buffer) || FailRead(ClosedException());
                case ReadProgress.NeedsMore when isOver:
                    return FailRead(ClosedException());
                case ReadProgress.NeedsMore when isFull:
                    return GiveUp(new StreamBufferFullException(
                        $"The read needs more than the {_maxBufferSize} bytes that the stream may keep (LoopStreamOptions.MaxBufferSize)."));
                case ReadProgress.NeedsMore when isQuiet:
                    SearchLater();
                    return Pause();
            }

            if (_receivesLeft-- == 0)
            {
                _yielded = true;
                _sink.Request();
                return false;
            }

            // One byte more than the limit, because only that tells "too much" from "all, and then the end".
            int most = (int)Math.Min(_chunkSize, (long)_maxBufferSize + 1 - _buffer.Length);
            IoResult result = _socket.Receive(_request.GetRoom(ref _buffer, most));
            if (result.IsPending && _request.Search is not null)
            {
                isQuiet = true; // what was not worth a search before may be now
                continue;
            }

            if (result.IsPending)
            {
                return Pause();
            }

            Received(result);
            if (result.Count > 0)
            {
                _request.Advance(result.Count, ref _buffer);
            }
            else
            {
                _buffer.ReleaseIfEmpty();
            }
        }
    }

    // An idle stream holds no buffer.
    private bool Pause()
    {
        _receivesLeft = ReceivesPerTurn;
        _buffer.ReleaseIfEmpty();
        return false;
    }

    // Nobody can tell where the next message begins: what is buffered goes with the stream.
    private bool GiveUp(IOException reason)
    {
        if (reason is UnsatisfiableReadException)
        {
            _logger.UnsatisfiableRead(RemoteEndPoint, reason.Message);
        }
        else
        {
            _logger.ReadBufferFull(RemoteEndPoint, _maxBufferSize);
        }

        _abandoned = true;
        _error = reason;
        _buffer.Release();
        CloseNow(reason);
        return FailRead(ClosedException());
    }

    private bool FailRead(Exception failure)
    {
        if (!_abandoned)
        {
            _request.PutBack(ref _buffer);
        }

        _request.Failure = failure;
        return true;
    }

    private ReadRequest TakeRequest()
    {
        ReadRequest done = _request;
        _request = default; // it holds the caller's memory
        return done;
    }

    private void CompleteRead()
    {
        StreamOperation operation = _pendingRead!;
        ReadRequest done = TakeRequest();
        _pendingRead = null;
        _yielded = false;
        CancelSearch();
        _receivesLeft = ReceivesPerTurn;
        if (done.Failure is null)
        {
            operation.Succeed(done.Count, done.Bytes);
        }
        else
        {
            operation.Fail(done.Failure);
        }
    }

    private void OnReceivable()
    {
        // A read that yielded goes on in the next turn, and receives then whatever this is about.
        if (_pendingRead is not null && !_yielded && TryRead())
        {
            CompleteRead();
        }

        LookForEnd();
    }

    private void SettleRead()
    {
        if (_pendingRead is null)
        {
            return;
        }

        if (_pendingRead.Token is { IsCancellationRequested: true } token && !_abandoned)
        {
            FailRead(new OperationCanceledException(token));
            CompleteRead();
        }
        else if (_yielded || _abandoned || _socketClosed || _searchIsDue)
        {
            _yielded = false;
            _searchIsDue = false;
            _receivesLeft = ReceivesPerTurn;
            if (TryRead())
            {
                CompleteRead();
            }
        }
    }

    private void Received(IoResult result)
    {
        if (result.IsError)
        {
            _error ??= _socket.CloseReason; // the error has begun the close
            _closing = true;
        }
        else if (result.Count == 0)
        {
            _ended = true;
            CloseAfterSending();
        }
    }
}
