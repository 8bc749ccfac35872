using System.Diagnostics;

namespace LoopBridge.Loops;

/// <summary>
/// Looks at the loops of a group from a thread of its own, and acts where one of them is held: a guest loses its loop to another thread,
/// everything else is logged.
/// </summary>
/// <remarks>
/// It samples while a loop is busy. When nothing has moved for a while it sleeps until a loop has something to do
/// (<see cref="LoopActivity"/> has the protocol): an idle process makes no system call for it.
/// </remarks>
internal sealed class LoopWatchdog : IDisposable
{
    // Between two bursts of requests it is not worth falling asleep.
    private static readonly TimeSpan QuietTime = TimeSpan.FromMilliseconds(200);

    // More than enough for one look; its logger may be the user's.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(1);

    // A guest that is seen twice at this distance is worth a thread of its own.
    private static readonly TimeSpan CloseInterval = TimeSpan.FromMilliseconds(1);

    private readonly LoopWatch[] _watches;
    private readonly TimeSpan _interval;
    private readonly object _gate = new();
    private readonly Thread _thread;
    private long _looks;
    private int _asleep;
    private bool _isCalled;
    private volatile bool _ended;

    internal LoopWatchdog(LoopWatch[] watches, TimeSpan interval)
    {
        _watches = watches;
        _interval = interval;
        _thread = new Thread(Run) { Name = "LoopBridge watchdog", IsBackground = true };
    }

    /// <summary>Whether somebody has to wake it before it looks again. Any thread.</summary>
    internal bool IsAsleep => Volatile.Read(ref _asleep) == 1;

    /// <summary>How often it has looked. Any thread.</summary>
    internal long Looks => Volatile.Read(ref _looks);

    /// <summary>How long it waits between two looks, as things are. Its thread.</summary>
    internal TimeSpan Pause => Array.Exists(_watches, static watch => watch.WantsCloseLooks) ? CloseInterval : _interval;

    /// <summary>Whether it will not look again: never started, or its thread has ended.</summary>
    internal bool HasEnded => !_thread.IsAlive;

    internal void Start() => _thread.UnsafeStart();

    /// <summary>Any thread.</summary>
    internal void WakeUp()
    {
        if (Interlocked.Exchange(ref _asleep, 0) == 1)
        {
            Call();
        }
    }

    /// <summary>Waits for its thread, but not long. Harmless when it was not started.</summary>
    public void Dispose()
    {
        _ended = true;
        Call();
        if ((_thread.ThreadState & System.Threading.ThreadState.Unstarted) == 0)
        {
            _thread.Join(EndLimit);
        }
    }

    private void Run()
    {
        long moved = Stopwatch.GetTimestamp();
        while (!_ended)
        {
            long now = Stopwatch.GetTimestamp();
            if (LookAtAll(now))
            {
                moved = now;
            }

            if (Stopwatch.GetElapsedTime(moved, now) < QuietTime)
            {
                WaitForCall(Pause);
            }
            else
            {
                Sleep();
                moved = Stopwatch.GetTimestamp();
            }
        }
    }

    private bool LookAtAll(long now)
    {
        Volatile.Write(ref _looks, _looks + 1);
        bool moves = false;
        foreach (LoopWatch watch in _watches)
        {
            moves |= watch.Look(now);
        }

        return moves;
    }

    private void Sleep()
    {
        Volatile.Write(ref _asleep, 1);
        Interlocked.MemoryBarrierProcessWide();
        if (!_ended && !Array.Exists(_watches, static watch => watch.HasMoved))
        {
            WaitForCall(Timeout.InfiniteTimeSpan);
        }

        Volatile.Write(ref _asleep, 0);
    }

    private void Call()
    {
        lock (_gate)
        {
            _isCalled = true;
            Monitor.Pulse(_gate);
        }
    }

    private void WaitForCall(TimeSpan limit)
    {
        lock (_gate)
        {
            if (!_isCalled)
            {
                Monitor.Wait(_gate, limit);
            }

            _isCalled = false;
        }
    }
}
