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
    private readonly LoopConnection _connection;
    private GuestRun _run;
    private ConnectionStanding? _standing; // null: it has never been sent off its loop, as most
    private volatile LoopScheduling _scheduling;

    internal ConnectionScheduler(LoopConnection connection)
    {
        _connection = connection;
        _scheduling = Settings.Scheduling;
        _standing = Settings.Endpoint.IsOnProbation ? NewStanding(isOnProbation: true) : null;
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
    internal string? Origin => Settings.Endpoint.Name;

    /// <summary>
    /// Whether code that asks for its first bytes must be resumed rather than answered at once. Kestrel begins connections on the thread
    /// pool; where they went on from there with a first request that has come already, handlers that block would starve it.
    /// </summary>
    internal bool LeavesPool => _scheduling == LoopScheduling.Adaptive && Thread.CurrentThread.IsThreadPoolThread;

    private LoopConnectionSettings Settings => _connection.Settings;

    private StreamSocket Socket => _connection.Socket;

    // What one run may hold back: the write limit, or Kestrel's default for it where it is off.
    private long MostHeld => Socket.SendHighWater > 0 ? Socket.SendHighWater : 64 * 1024;

    private bool MayUseLoop => Volatile.Read(ref _standing) is not { MayUseLoop: false };

    private ConnectionStanding Standing
        => Volatile.Read(ref _standing)
            ?? Interlocked.CompareExchange(ref _standing, NewStanding(isOnProbation: false), null)
            ?? _standing;

    /// <summary>Goes on with the code that waited. Loop thread.</summary>
    internal void Resume(ScheduledWait wait)
    {
        switch (_scheduling)
        {
            case LoopScheduling.Inline:
                wait.Continue();
                break;
            case LoopScheduling.Adaptive when MayUseLoop:
                Settings.Member.Invite(wait);
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
        if (!Socket.Loop.Post(wait))
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
        if (!MayUseLoop || !_run.TryBegin())
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
        if (Socket.Unsent > 0)
        {
            Socket.SendAtTurnEnd();
        }
    }

    /// <summary>The run has held the loop for too long, and has lost it. The thread that took it over.</summary>
    internal void OnOvertaken()
    {
        // Held, or left behind by a run that ended at this very moment.
        if (_run.Overtake() || Socket.Unsent > 0)
        {
            Socket.SendFlushed();
        }

        Standing.OnOvertaken();
        Settings.Logger.ConnectionOverstayed(_connection);
    }

    /// <summary>The loop has too much to do. The watchdog's thread.</summary>
    internal void OnCrowded() => Standing.OnCrowded();

    /// <summary>A worker's thread.</summary>
    internal void RunTimed(ScheduledWait wait)
    {
        long begun = Stopwatch.GetTimestamp();
        wait.Continue();
        Standing.OnWorkerRun(Stopwatch.GetElapsedTime(begun));
    }

    /// <summary>
    /// Lets go what was written so far, at once or at the end of the run that writes it. False: the writer has to wait for
    /// <see cref="ISocketSink.OnSendDrained"/>. Writer.
    /// </summary>
    internal bool Flush()
    {
        if (!_run.IsOn)
        {
            return Socket.Flush();
        }

        Socket.FlushLater();
        return (Socket.Unsent <= MostHeld && _run.TryHold()) || Socket.FlushHere();
    }

    private ConnectionStanding NewStanding(bool isOnProbation) => new(Settings.Endpoint, Settings.OverstayLimit, isOnProbation);

    private void QueueToWorker(ScheduledWait wait)
    {
        wait.SetTimed();
        Settings.Workers.Queue(wait);
    }
}
