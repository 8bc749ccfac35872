using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Kestrel;

/// <summary>
/// A pipe's reading end straight over the socket: the loop receives into the reader's own blocks, and a waiting read completes there and
/// then.
/// </summary>
/// <remarks>
/// The loop produces (<see cref="OnReceivable"/>), the application consumes from whatever thread it is on; between them stand the queue and
/// the waiter. The loop reads ahead up to the limit, because a FIN must be noticed while a handler is busy; with the queue empty no block
/// is held.
/// </remarks>
internal sealed class LoopPipeReader : PipeReader, IPipeEnd<ReadResult>, ILoopWork
{
    // Kestrel asks for at least so much room for each receive.
    private const int SmallestReceive = 2048;

    // A sender that fills its block gets a larger one next time, up to here: a call for each 4 KiB would cost an upload half its speed.
    private const int LargestReceive = 64 * 1024;

    // What one connection may take in before the others of the loop have their turn.
    private const int FairShare = 256 * 1024;

    private readonly LoopConnection _connection;
    private readonly StreamSocket _socket;
    private readonly SegmentQueue _queue;
    private readonly PipeWaiter<ReadResult> _waiter;
    private readonly long _pauseAt;
    private bool _hasRead;
    private Exception? _inputError;
    private volatile bool _inputCompleted;
    private bool _readerCompleted;
    private volatile bool _leftUnread;
    private int _receiveSize = SegmentQueue.DefaultBlockSize;
    private bool _paused;
    private bool _cancelRequested;
    private long _examined;
    private bool _begun;

    internal LoopPipeReader(LoopConnection connection)
    {
        LoopConnectionSettings settings = connection.Settings;
        _connection = connection;
        _socket = connection.Socket;
        _queue = new SegmentQueue(settings.Pool);
        _pauseAt = settings.MaxReadBufferSize is > 0 and { } limit ? limit : long.MaxValue;
        _waiter = new PipeWaiter<ReadResult>(this, connection.Scheduler);
    }

    /// <summary>Whether the application had enough of the input while there was more of it: the peer may still be sending.</summary>
    internal bool WasLeftUnread => _leftUnread;

    private long Unexamined => _queue.Committed - Math.Max(Volatile.Read(ref _examined), _queue.Consumed);

    /// <summary>Whether a read has something to return. Any thread.</summary>
    public bool IsReady => _queue.Committed > Volatile.Read(ref _examined) || _inputCompleted || Volatile.Read(ref _cancelRequested);

    // ---- the loop's side

    /// <summary>Takes in what has arrived. Loop thread.</summary>
    internal void OnReceivable()
    {
        if (_inputCompleted)
        {
            return;
        }

        if (_readerCompleted)
        {
            ReceiveForNobody();
            return;
        }

        if (Volatile.Read(ref _paused))
        {
            return; // more has come, or the peer has gone: neither is looked at, nor a second pause logged, before the application has caught up
        }

        bool received = ReceiveAll(out bool ended);
        if (ended)
        {
            CompleteInput(null);
            _waiter.Wake(inline: true);
            _connection.OnInputEnded(peerFinished: true);
        }
        else if (received)
        {
            _waiter.Wake(inline: true);
        }
    }

    /// <summary>Goes on after a pause or a fair share; or, if the application has had enough, gives back what it did not read.</summary>
    void ILoopWork.Run()
    {
        ReleaseIfUnread();
        OnReceivable();
    }

    /// <summary>The blocks of a completed reader go back where no receive can be under way. Loop thread.</summary>
    internal void ReleaseIfUnread()
    {
        if (_readerCompleted)
        {
            _leftUnread |= _queue.Length > 0; // received while the application was just having enough
            _queue.Clear();
        }
    }

    /// <summary>
    /// Nothing more will come. The first outcome stays. Loop thread; the waiting read learns of it through <see cref="WakeUp"/>.
    /// </summary>
    internal void CompleteInput(Exception? error)
    {
        if (!_inputCompleted)
        {
            _inputError = error;
            _inputCompleted = true;
        }
    }

    internal void WakeUp() => _waiter.Wake(inline: false);

    /// <summary>
    /// What was received and not consumed, for a handler that takes the connection over; it is consumed with that. Loop thread, with no
    /// reader active.
    /// </summary>
    internal void TakeOver(Action<ReadOnlySequence<byte>> use)
    {
        _connection.OnBegun();
        _inputCompleted = true; // a resume or fair share still posted must not receive what is the handler's

        // Completed afterwards: a handler that closes the socket in the middle of these bytes may still look at the rest of them.
        use(_queue.Peek());
        Volatile.Write(ref _readerCompleted, true);
        _queue.Clear();
    }

    // The application has had enough of the input. As with Kestrel's sockets, the next thing the peer does fires the token: its end, its
    // reset, or bytes, which stay in the kernel but for this one.
    private void ReceiveForNobody()
    {
        Span<byte> one = stackalloc byte[1];
        IoResult result = _socket.Receive(one);
        if (result.IsOk)
        {
            _leftUnread |= result.Count > 0;
            CompleteInput(null);
            _connection.OnInputEnded(peerFinished: result.Count == 0);
        }
    }

    private bool ReceiveAll(out bool ended)
    {
        ended = false;
        bool received = false;
        int share = FairShare;
        while (true)
        {
            if (Unexamined >= _pauseAt && Pause())
            {
                return received;
            }

            Memory<byte> room = _queue.GetMemory(RoomWanted());
            IoResult result = _socket.Receive(room.Span);
            if (result.IsOk)
            {
                _queue.Advance(result.Count);
            }

            _queue.Commit();
            if (!result.IsOk || result.Count == 0)
            {
                ended = result.IsOk;
                return received;
            }

            received = true;
            share -= result.Count;
            _receiveSize = result.Count < room.Length
                ? SegmentQueue.DefaultBlockSize
                : Math.Min(Math.Max(_receiveSize * 2, SegmentQueue.DefaultBlockSize), LargestReceive);
            if (share <= 0)
            {
                _socket.Loop.Post(this);
                return true;
            }
        }
    }

    // The larger blocks stay within the limit; a whole small one is what Kestrel's pipe goes beyond it, too.
    private int RoomWanted()
    {
        long wanted = Math.Min(_receiveSize, _pauseAt - Unexamined);
        return wanted > SegmentQueue.DefaultBlockSize ? (int)wanted : SmallestReceive;
    }

    // True if it is to stay paused. Logged, announced, and looked at again, while the consumer goes the other way round: each pause is
    // logged once, before its end.
    private bool Pause()
    {
        _connection.OnPaused();
        Interlocked.Exchange(ref _paused, true);
        Interlocked.MemoryBarrierProcessWide(); // for the consumer as well, who pays for no fence of his own
        if (Unexamined < _pauseAt && Interlocked.CompareExchange(ref _paused, false, true))
        {
            _connection.OnResumed();
            return false;
        }

        return true;
    }

    // ---- the application's side

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfReaderCompleted();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        bool mustResume = !_hasRead && _connection.Scheduler.LeavesPool;
        _hasRead = true;
        if (IsReady && !mustResume)
        {
            return new ValueTask<ReadResult>(Take());
        }

        _waiter.Begin(cancellationToken);
        if (!IsReady)
        {
            return _waiter.Task;
        }

        if (mustResume)
        {
            _waiter.WakeEarly();
            return _waiter.Task;
        }

        return _waiter.TryEnd() ? new ValueTask<ReadResult>(Take()) : _waiter.Task;
    }

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfReaderCompleted();
        bool isReady = IsReady;
        result = isReady ? Take() : default;
        return isReady;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        ThrowIfReaderCompleted();
        if (consumed.GetObject() is not BufferSegment)
        {
            return; // a position of the empty buffer
        }

        long consumedOffset = OffsetOf(consumed);
        long examinedOffset = OffsetOf(examined);
        if (examinedOffset < consumedOffset)
        {
            throw new InvalidOperationException("The examined position must not be before the consumed position.");
        }

        Volatile.Write(ref _examined, examinedOffset);
        _queue.Consume(consumedOffset - _queue.Consumed);
        if (!_begun && consumedOffset > 0)
        {
            _begun = true;
            _connection.OnBegun();
        }

        if (Volatile.Read(ref _paused) && Unexamined <= _pauseAt / 2 && Interlocked.Exchange(ref _paused, false))
        {
            _connection.OnResumed();
            _socket.Loop.Post(this);
        }
    }

    public override void CancelPendingRead()
    {
        Volatile.Write(ref _cancelRequested, true);
        _waiter.Wake(inline: false);
    }

    public override void Complete(Exception? exception = null)
    {
        // An exchange, because a connection may be disposed from two sides at once.
        if (Interlocked.Exchange(ref _readerCompleted, true))
        {
            return;
        }

        // Set, never reset: the loop may be finding more at this moment.
        if (_queue.Length > 0 || Volatile.Read(ref _paused))
        {
            _leftUnread = true;
        }

        // Posted from the loop, too: a paused connection hears nothing more of what the kernel has, and has to ask.
        if (!_socket.Loop.Post(this) || _socket.Loop.IsOnLoopThread)
        {
            _queue.Clear();
        }
    }

    public ReadResult Take()
    {
        bool canceled = Interlocked.Exchange(ref _cancelRequested, false);

        // Completion before content: all that was received before the end is committed by then.
        bool completed = _inputCompleted;
        if (completed && _inputError is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }

        return new ReadResult(_queue.Peek(), canceled, completed);
    }

    private void ThrowIfReaderCompleted()
    {
        if (Volatile.Read(ref _readerCompleted))
        {
            throw new InvalidOperationException("Reading is not allowed after the reader was completed.");
        }
    }

    // Blocks know their place in the stream, so a position is a number.
    private static long OffsetOf(SequencePosition position)
        => ((BufferSegment)position.GetObject()!).RunningIndex + position.GetInteger();
}
