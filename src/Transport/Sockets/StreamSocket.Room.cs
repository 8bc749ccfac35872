using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <remarks>
/// What a writer waits for: room below the low water mark, or that its bytes have gone to the kernel. Each is announced before it is looked
/// for once more, and the sender does it the other way round, so that one of them sees the other.
/// </remarks>
internal sealed partial class StreamSocket
{
    private DrainedWork? _drained;
    private SentWork? _sent;
    private int _drainWanted;
    private long _sentWanted;

    /// <summary>Unsent bytes above which a writer has to wait.</summary>
    internal long SendHighWater { get; }

    /// <summary>Unsent bytes at which a waiting writer goes on.</summary>
    internal long SendLowWater { get; }

    /// <summary>
    /// Wants <see cref="ISocketSink.OnSent"/> when the kernel has taken so many bytes in all; takes the place of an earlier wish. False: it
    /// has already. Writer.
    /// </summary>
    internal bool WaitSent(long position)
    {
        // Announce, then look: as in Flush.
        Interlocked.Exchange(ref _sentWanted, position);
        return Sent < position || Interlocked.CompareExchange(ref _sentWanted, 0, position) != position;
    }

    private bool MayWriteOn()
    {
        if (SendHighWater <= 0 || Unsent <= SendHighWater)
        {
            return true;
        }

        // Announce the wait, then look once more: the sender does it the other way round.
        Interlocked.Exchange(ref _drainWanted, 1);
        return Unsent <= SendLowWater && Interlocked.CompareExchange(ref _drainWanted, 0, 1) == 1;
    }

    private void NotifyDrained(bool onLoop)
    {
        Interlocked.MemoryBarrier(); // what was consumed before the question: the writer announces its wait and then looks the other way round
        if (Volatile.Read(ref _drainWanted) == 1 && Unsent <= SendLowWater && Interlocked.Exchange(ref _drainWanted, 0) == 1)
        {
            if (onLoop)
            {
                ReportDrained();
            }
            else
            {
                Loop.Post(_drained ??= new DrainedWork(this));
            }
        }

        long wanted = Volatile.Read(ref _sentWanted);
        if (wanted != 0 && Sent >= wanted && Interlocked.CompareExchange(ref _sentWanted, 0, wanted) == wanted)
        {
            if (onLoop)
            {
                ReportSent();
            }
            else
            {
                Loop.Post(_sent ??= new SentWork(this));
            }
        }
    }

    // After the close a writer that waits has been told already: nothing comes after OnClosed.
    private void ReportDrained()
    {
        if (!_closed)
        {
            using OutsideContext _ = OutsideContext.Enter();
            _sink?.OnSendDrained();
        }
    }

    private void ReportSent()
    {
        if (!_closed)
        {
            using OutsideContext _ = OutsideContext.Enter();
            _sink?.OnSent();
        }
    }

    private sealed class DrainedWork(StreamSocket socket) : ILoopWork, IOnBehalf
    {
        object? IOnBehalf.Behalf => socket;

        public void Run() => socket.ReportDrained();
    }

    private sealed class SentWork(StreamSocket socket) : ILoopWork, IOnBehalf
    {
        object? IOnBehalf.Behalf => socket;

        public void Run() => socket.ReportSent();
    }
}
