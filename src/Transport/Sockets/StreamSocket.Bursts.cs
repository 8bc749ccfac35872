using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Sockets;

/// <remarks>
/// <para>Flushes from other threads than the loop's. One that stands alone is sent at once, and wakes nobody. In a burst, such as the
/// streams of HTTP/2 make from the thread pool, one send each costs more than all the rest: h2load with 100 streams on one connection came
/// to 0.6 of what Kestrel's sockets do with it. So the second flush before the loop looks at the connection again is queued where it came
/// from, behind the work that will flush next: to the pool from the pool, else to the loop. What is flushed until its turn comes leaves
/// with it.</para>
/// <para>While such sends find several flushes each, the first of the next burst waits for the others, too.</para>
/// </remarks>
internal sealed partial class StreamSocket
{
    private const int NoFlush = 0;
    private const int SentAlone = 1;
    private const int Queued = 2;
    private const int QueuedMore = 3;

    private BurstWork? _burst;
    private int _elsewhere;
    private volatile bool _comesInBursts;

    // Writer. The exchange is also the fence between the commit and the look at whether the queued send is still to come: that does it the
    // other way round.
    private void SendFromElsewhere()
    {
        if (_closing)
        {
            SendFlushed(); // nothing leaves any more, and the blocks go back at once
            return;
        }

        bool queue = _comesInBursts;
        int before = Interlocked.CompareExchange(ref _elsewhere, queue ? Queued : SentAlone, NoFlush);
        if (before == SentAlone)
        {
            before = Interlocked.CompareExchange(ref _elsewhere, Queued, SentAlone);
            queue = before == SentAlone;
        }

        if (before is Queued or QueuedMore)
        {
            Interlocked.CompareExchange(ref _elsewhere, QueuedMore, Queued);
        }
        else if (!queue || !QueueBurst())
        {
            SendFlushed();
        }
    }

    // False: the loop is closed.
    private bool QueueBurst()
    {
        _burst ??= new BurstWork(this);
        return Thread.CurrentThread.IsThreadPoolThread
            ? ThreadPool.UnsafeQueueUserWorkItem(_burst, preferLocal: false)
            : Loop.Post(_burst);
    }

    // The loop looks at the connection: what is flushed from now on stands alone.
    private void EndBurst()
    {
        if (Volatile.Read(ref _elsewhere) == SentAlone)
        {
            Interlocked.CompareExchange(ref _elsewhere, NoFlush, SentAlone);
        }
    }

    private void BeginBurstSend() => _comesInBursts = Interlocked.Exchange(ref _elsewhere, NoFlush) == QueuedMore;

    private sealed class BurstWork(StreamSocket socket) : ILoopWork, IThreadPoolWorkItem, IOnBehalf
    {
        object? IOnBehalf.Behalf => socket;

        public void Run()
        {
            socket.BeginBurstSend();
            socket.Pump();
        }

        public void Execute()
        {
            socket.BeginBurstSend();
            socket.SendFlushed();
        }
    }
}
