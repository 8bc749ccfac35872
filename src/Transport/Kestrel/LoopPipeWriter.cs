using System.IO.Pipelines;
using LoopBridge.Sockets;

namespace LoopBridge.Kestrel;

/// <summary>
/// A pipe's writing end straight over the socket's send queue. A flush on the loop leaves at the end of the turn, one of a guest of the loop
/// at the end of its run, one from elsewhere at once; it waits only while more than the limit is unsent.
/// </summary>
internal sealed class LoopPipeWriter : PipeWriter, IPipeEnd<FlushResult>
{
    private readonly StreamSocket _socket;
    private readonly ConnectionScheduler _scheduler;
    private PipeWaiter<FlushResult>? _waiter; // made by the first flush that has to wait, which on most connections never comes
    private bool _completed;
    private bool _cancelRequested;

    internal LoopPipeWriter(LoopConnection connection)
    {
        _socket = connection.Socket;
        _scheduler = connection.Scheduler;
    }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _socket.Unflushed;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ThrowIfCompleted();
        return _socket.GetSendMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _socket.AdvanceSend(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        if (IsCompleted || _scheduler.Flush() || CanTake)
        {
            return new ValueTask<FlushResult>(Take());
        }

        PipeWaiter<FlushResult> waiter = _waiter ??= new PipeWaiter<FlushResult>(this, _scheduler);
        waiter.Begin(cancellationToken);
        return IsReady && waiter.TryEnd() ? new ValueTask<FlushResult>(Take()) : waiter.Task;
    }

    public override void CancelPendingFlush()
    {
        Interlocked.Exchange(ref _cancelRequested, true); // in full before the look at the waiter, which a flush makes before it looks here
        Waiter?.Wake(inline: false);
    }

    public override void Complete(Exception? exception = null)
    {
        // An exchange, because a connection may be disposed from two sides at once.
        if (Interlocked.Exchange(ref _completed, true))
        {
            return;
        }

        if (exception is null)
        {
            _socket.FinishSending();
        }
        else
        {
            _scheduler.Connection.OnOutputFailed(exception);
            _socket.Flush(); // what was written goes back to the pool, if not to the peer
        }
    }

    /// <summary>
    /// Room again. Loop thread. The news may be late: it may be about an earlier flush, which saw by itself that it could go on, and after
    /// which more was written than there is room for. It counts only where that is true of the flush that waits, which has added its bytes
    /// before it waits.
    /// </summary>
    internal void OnDrained() => Waiter?.Wake(inline: true);

    /// <summary>The connection is gone: writes do nothing from here on.</summary>
    internal void OnClosed()
    {
        Interlocked.MemoryBarrier(); // as with a cancellation: the close has been announced, and a flush looks for it when its waiter is there
        Waiter?.Wake(inline: false);
    }

    private PipeWaiter<FlushResult>? Waiter => Volatile.Read(ref _waiter);

    private bool IsCompleted => Volatile.Read(ref _completed);

    /// <summary>Whether a flush need not wait any more. Any thread.</summary>
    public bool IsReady => CanTake || _socket.Unsent <= _socket.SendLowWater;

    private bool CanTake => _socket.IsClosing || Volatile.Read(ref _cancelRequested);

    public FlushResult Take()
        => new(isCanceled: Interlocked.Exchange(ref _cancelRequested, false), isCompleted: _socket.IsClosing || IsCompleted);

    private void ThrowIfCompleted()
    {
        if (IsCompleted)
        {
            throw new InvalidOperationException("Writing is not allowed after the writer was completed.");
        }
    }
}
