using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <remarks>
/// <para>Sending. The writer puts bytes into the queue and <see cref="Flush"/>es. On the loop's thread the bytes then leave at the end of
/// the turn, together with whatever else the turn writes to this connection, in one gather send. From another thread they leave at
/// once where the flush stands alone, and in a burst together (see <c>StreamSocket.Bursts.cs</c>).</para>
/// <para>Whoever sends holds the send token, <c>_sendState</c>: one sender at a time, and the descriptor is closed only by the holder, so
/// that its number is never used after close. A flush that finds the token taken marks it, and the holder looks once more before it lets
/// go. While a send waits for the peer the token stays taken.</para>
/// </remarks>
internal sealed partial class StreamSocket : ILoopWork
{
    private const int Idle = 0;
    private const int Busy = 1;
    private const int Again = 2;

    // What one connection may send in one go while its peer keeps up, before the others of the loop have their turn.
    private const int FairShare = 512 * 1024;

    [ThreadStatic]
    private static ReadOnlyMemory<byte>[]? _threadBuffers;

    private readonly SegmentQueue _queue;
    private ContinueSendWork? _continueSend;
    private int _sendState;
    private bool _atTurnEnd;
    private bool _sendWaits;
    private bool _discard;
    private bool _finished;
    private volatile bool _finishRequested;
    private int _sendersElsewhere;

    /// <summary>Bytes flushed and not yet taken by the kernel. Any thread.</summary>
    internal long Unsent => _queue.Length;

    /// <summary>Bytes written and not yet flushed. Writer.</summary>
    internal long Unflushed => _queue.Uncommitted;

    /// <summary>All bytes ever flushed. Any thread.</summary>
    internal long Flushed => _queue.Committed;

    /// <summary>All bytes ever taken by the kernel. Any thread.</summary>
    internal long Sent => _queue.Consumed;

    /// <summary>Whether it was a send that told of the connection's end. Loop thread, once it is closed.</summary>
    internal bool HasFailedToSend { get; private set; }

    /// <summary>Room to write to. Writer.</summary>
    internal Memory<byte> GetSendMemory(int sizeHint) => _queue.GetMemory(sizeHint);

    /// <summary>So many bytes of it were written. Writer.</summary>
    internal void AdvanceSend(int count) => _queue.Advance(count);

    /// <summary>Copies bytes to send. Writer.</summary>
    internal void Write(ReadOnlySpan<byte> bytes) => _queue.Write(bytes);

    /// <summary>
    /// Lets go what was written so far. False: more than <see cref="SendHighWater"/> is unsent, and <see cref="ISocketSink.OnSendDrained"/>
    /// follows.
    /// </summary>
    internal bool Flush()
    {
        _queue.Commit();
        if (Loop.IsOnLoopThread)
        {
            SendAtTurnEnd();
        }
        else
        {
            SendFromElsewhere();
        }

        return MayWriteOn();
    }

    /// <summary>As <see cref="Flush"/>, but whatever was flushed before, the bytes leave within the call. Any thread but the loop's.</summary>
    internal bool FlushHere()
    {
        _queue.Commit();
        SendFlushed();
        return MayWriteOn();
    }

    /// <summary>Sends what is flushed when the turn ends. Loop thread.</summary>
    internal void SendAtTurnEnd()
    {
        if (!_atTurnEnd)
        {
            _atTurnEnd = true;
            Loop.AtTurnEnd(this);
        }
    }

    /// <summary>
    /// As <see cref="Flush"/>, but the bytes stay until somebody calls <see cref="SendFlushed"/> or <see cref="SendAtTurnEnd"/>. Writer.
    /// </summary>
    internal void FlushLater() => _queue.Commit();

    /// <summary>Sends what is flushed. Any thread but the loop's.</summary>
    internal void SendFlushed()
    {
        // Counted before the token is taken, so that Dispose can wait for whoever may have it.
        Interlocked.Increment(ref _sendersElsewhere);
        Pump();
        Interlocked.Decrement(ref _sendersElsewhere);
    }

    /// <summary>
    /// As <see cref="Flush"/>, for bytes that have waited for the end of a turn already: they leave within the call. Loop thread.
    /// </summary>
    internal bool FlushNow()
    {
        _queue.Commit();
        Pump();
        return MayWriteOn();
    }

    /// <summary>
    /// Sends what is flushed, ends the sending direction (FIN), then reports <see cref="ISocketSink.OnSendFinished"/>. Writer, any thread.
    /// </summary>
    internal void FinishSending()
    {
        _queue.Commit(); // first: who is sending on another thread must not see the wish while these bytes are still hidden
        _finishRequested = true;
        Flush();
    }

    /// <summary>The end of the turn.</summary>
    void ILoopWork.Run()
    {
        _atTurnEnd = false;
        Pump();
    }

    void IStreamChannelOwner.OnSendProgress(IoResult done)
    {
        _sendWaits = false;
        if (done.IsError)
        {
            OnSendFailed(done.Error, onLoop: true);
        }
        else
        {
            _queue.Consume(done.Count);
            NotifyDrained(onLoop: true);
        }

        PumpHeld();
    }

    private void Pump()
    {
        if (Interlocked.Exchange(ref _sendState, Again) == Idle)
        {
            PumpHeld();
        }
    }

    // Called by the holder of the token.
    private void PumpHeld()
    {
        using OutsideContext _ = OutsideContext.Enter();
        bool onLoop = Loop.IsOnLoopThread;
        do
        {
            Volatile.Write(ref _sendState, Busy);

            // The token's state before what is looked at below: close, finish and new bytes announce themselves the other way round.
            Interlocked.MemoryBarrier();
            if (_closing && !_discard)
            {
                if (!onLoop)
                {
                    HandOverToLoop();
                }
                else
                {
                    CloseChannel(); // ends in OnClosed, which lets the token go
                }

                return;
            }

            if (!SendAll(onLoop))
            {
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _sendState, Idle, Busy) != Busy);
    }

    // False: the token stays taken, by the loop or by what waits for the peer.
    private bool SendAll(bool onLoop)
    {
        if (_discard)
        {
            _queue.Clear();
            return true;
        }

        if (!onLoop && !_channel.CanSendFromAnyThread)
        {
            return HandOverToLoop();
        }

        int share = FairShare;
        ReadOnlyMemory<byte>[] buffers = _threadBuffers ??= new ReadOnlyMemory<byte>[Interop.LibC.MaxGather];
        while (_queue.Peek(buffers) is int count and > 0)
        {
            ReadOnlySpan<ReadOnlyMemory<byte>> batch = buffers.AsSpan(0, count);
            IoResult result = onLoop ? _channel.Send(batch) : _channel.TrySend(batch);
            if (result.IsPending)
            {
                return onLoop ? WaitForPeer() : HandOverToLoop();
            }

            if (result.IsError)
            {
                OnSendFailed(result.Error, onLoop);
                return true;
            }

            _queue.Consume(result.Count);
            NotifyDrained(onLoop);
            if (_closing)
            {
                return true; // the loop above sees to it
            }

            share -= result.Count;
            if (onLoop && share <= 0 && Unsent > 0)
            {
                return HandOverToLoop();
            }
        }

        _queue.ReleaseIfEmpty();
        if (_finishRequested && !_finished && Unsent == 0)
        {
            if (!onLoop)
            {
                return HandOverToLoop();
            }

            _finished = true;
            _channel.ShutdownSend();
            _sink!.OnSendFinished();
        }

        return true;
    }

    private bool WaitForPeer()
    {
        _sendWaits = true;
        return false;
    }

    private bool HandOverToLoop()
    {
        _continueSend ??= new ContinueSendWork(this);
        Loop.Post(_continueSend);
        return false;
    }

    // Off the loop only the request is made; the close itself is the loop's.
    private void OnSendFailed(SocketError error, bool onLoop)
    {
        HasFailedToSend = true;
        Exception reason = _channel.Failure ?? ConnectionErrors.FromSend(error);
        if (onLoop)
        {
            Close(reason, reset: false);
        }
        else
        {
            RequestAbort(reason, reset: false);
        }
    }

    // Loop thread, with _closing set. If somebody else is sending, he finds that out when he lets go; a send that waits is ours to end.
    private void CloseWhenSenderIsOut()
    {
        if (_sendWaits || Interlocked.Exchange(ref _sendState, Again) == Idle)
        {
            _sendWaits = false;
            PumpHeld();
        }
    }

    // From OnClosed: nothing is in flight, and from here on whatever is still written goes back to the pool.
    private void DiscardUnsent()
    {
        _discard = true;
        PumpHeld();
    }

    private sealed class ContinueSendWork(StreamSocket socket) : ILoopWork, IOnBehalf
    {
        object? IOnBehalf.Behalf => socket;

        public void Run() => socket.PumpHeld();
    }
}
