using System.Diagnostics;
using LoopBridge.Loops;
using LoopBridge.Sockets;

namespace LoopBridge.Kestrel;

/// <summary>Where the code of one connection runs on when what it waited for has come.</summary>
/// <remarks>
/// Only what the loop itself brings (bytes, room, the end) may run on in place. What somebody else wakes, by a cancellation or an abort,
/// runs on the pool: his stack is not ours to build on.
/// </remarks>
internal sealed class ConnectionScheduler
{
    // Where the write limit is off: what one run may hold back, at Kestrel's default for that limit.
    private const int MostHeld = 64 * 1024;

    private readonly LoopConnection _connection;
    private readonly LoopConnectionSettings _settings;
    private readonly StreamSocket _socket;
    private readonly GuestRun _run = new();
    private readonly ConnectionStanding _standing;
    private readonly long _mostHeld;
    private volatile LoopScheduling _scheduling;

    internal ConnectionScheduler(LoopConnection connection, StreamSocket socket, LoopConnectionSettings settings)
    {
        _connection = connection;
        _settings = settings;
        _socket = socket;
        _mostHeld = socket.SendHighWater > 0 ? socket.SendHighWater : MostHeld;
        _standing = new ConnectionStanding(settings.Endpoint, settings.OverstayLimit);
        _scheduling = settings.Scheduling;
    }

    /// <summary>Any thread; waits that begin later follow it.</summary>
    internal LoopScheduling Scheduling
    {
        get => _scheduling;
        set => _scheduling = value;
    }

    /// <summary>Whose it is.</summary>
    internal LoopConnection Connection => _connection;

    /// <summary>The endpoint, for meters.</summary>
    internal string? Origin => _settings.Endpoint.Name;

    /// <summary>
    /// Whether code that asks for its first bytes must be resumed rather than answered at once. Kestrel begins connections on the thread
    /// pool; where they went on from there with a first request that has come already, handlers that block would starve it.
    /// </summary>
    internal bool LeavesPool => _scheduling == LoopScheduling.Adaptive && Thread.CurrentThread.IsThreadPoolThread;

    /// <summary>Goes on with the code that waited. Loop thread.</summary>
    internal void Resume(ScheduledWait wait)
    {
        switch (_scheduling)
        {
            case LoopScheduling.Inline:
                wait.Continue();
                break;
            case LoopScheduling.Adaptive when _standing.MayUseLoop:
                _settings.Member.Invite(wait);
                break;
            case LoopScheduling.Adaptive:
                QueueToWorker(wait);
                break;
            default:
                ResumeOnPool(wait);
                break;
        }
    }

    /// <summary>As <see cref="Resume"/>, from any thread. Where the loop is closed, on the pool.</summary>
    internal void ResumeOnLoop<TWait>(TWait wait)
        where TWait : ScheduledWait, ILoopWork
    {
        if (!_socket.Loop.Post(wait))
        {
            ResumeOnPool(wait);
        }
    }

    /// <summary>Any thread.</summary>
    internal static void ResumeOnPool(ScheduledWait wait) => ThreadPool.UnsafeQueueUserWorkItem(wait, preferLocal: false);

    /// <summary>As the guest of the loop's thread.</summary>
    internal void RunAsGuest(ScheduledWait wait)
    {
        if (Thread.CurrentThread.IsThreadPoolThread)
        {
            wait.Continue(); // the loop was closed before its turn came
            return;
        }

        // Since the invitation another run of the connection may have overstayed, and may not even have ended.
        if (!_standing.MayUseLoop || !_run.TryBegin())
        {
            QueueToWorker(wait);
            return;
        }

        try
        {
            wait.Continue();
        }
        finally
        {
            _run.End(); // what it holds is sent below: a run that was overtaken may end here while another one runs
        }
    }

    /// <summary>
    /// The run has returned. What it holds leaves at the end of the turn, with what the other connections were answered in it: a peer that
    /// sleeps is then woken once for all of them. Loop thread.
    /// </summary>
    internal void OnReturned()
    {
        if (_socket.Unsent > 0)
        {
            _socket.SendAtTurnEnd();
        }
    }

    /// <summary>The run has held the loop for too long, and has lost it. The thread that took it over.</summary>
    internal void OnOvertaken()
    {
        // Held, or left behind by a run that ended at this very moment.
        if (_run.Overtake() || _socket.Unsent > 0)
        {
            _socket.SendFlushed();
        }

        _standing.OnOvertaken();
        _settings.Logger.ConnectionOverstayed(_connection);
    }

    /// <summary>The loop has too much to do. The watchdog's thread.</summary>
    internal void OnCrowded() => _standing.OnCrowded();

    /// <summary>A worker's thread.</summary>
    internal void RunTimed(ScheduledWait wait)
    {
        long begun = Stopwatch.GetTimestamp();
        wait.Continue();
        _standing.OnWorkerRun(Stopwatch.GetElapsedTime(begun));
    }

    /// <summary>
    /// Lets go what was written so far, at once or at the end of the run that writes it. False: the writer has to wait for
    /// <see cref="ISocketSink.OnSendDrained"/>. Writer.
    /// </summary>
    internal bool Flush()
    {
        if (!_run.IsOn)
        {
            return _socket.Flush();
        }

        _socket.FlushLater();
        return (_socket.Unsent <= _mostHeld && _run.TryHold()) || _socket.FlushHere();
    }

    private void QueueToWorker(ScheduledWait wait)
    {
        wait.SetTimed();
        _settings.Workers.Queue(wait);
    }
}
