namespace LoopBridge.Loops;

/// <summary>
/// What a dispatcher does at this moment, as its watchdog sees it, and whose the loop is while a guest runs. Written by the thread that runs
/// the loop: a few plain writes for each thing dispatched, no clock and no lock.
/// </summary>
/// <remarks>
/// <para><b>The claim.</b> Each guest has a ticket, which is never given twice. The thread that runs it gives the ticket back with a
/// compare-and-swap; whoever wants the loop meanwhile takes it with another. One of them succeeds, and the loop is its.</para>
/// <para><b>The sleep.</b> The watchdog says that it sleeps and then looks whether anything runs; the loop says what runs and then looks
/// whether the watchdog sleeps. The fence that this needs between the two steps is on the watchdog's side for all threads
/// (membarrier(2)), so that it costs the loop nothing.</para>
/// </remarks>
internal sealed class LoopActivity
{
    private const long None = 0;
    private const long Taken = -1;

    private LoopWatchdog? _watchdog;
    private object? _running;
    private object? _state;
    private long _step;
    private long _guest;
    private long _turns;

    /// <summary>Turns begun. Any thread.</summary>
    internal long Turns => Volatile.Read(ref _turns);

    /// <summary>Counts everything dispatched: while it stands still and something runs, that has the loop. Any thread.</summary>
    internal long Step => Volatile.Read(ref _step);

    /// <summary>Whether something runs, or is about to in this turn. Any thread.</summary>
    internal bool IsBusy => Volatile.Read(ref _running) is not null;

    /// <summary>What runs, to be made sense of by <see cref="RunningCode"/>. Any thread, which must know from elsewhere that it stands still.</summary>
    internal (object? Running, object? State) Present => (Volatile.Read(ref _running), Volatile.Read(ref _state));

    /// <summary>Before the loop has a thread.</summary>
    internal void Watch(LoopWatchdog watchdog) => _watchdog = watchdog;

    internal void BeginTurn() => Volatile.Write(ref _turns, _turns + 1);

    /// <summary>Something is about to be called.</summary>
    internal void Begin(object callback, object? state = null)
    {
        _state = state;
        Volatile.Write(ref _running, callback);
        Volatile.Write(ref _step, _step + 1);
        if (_watchdog is { IsAsleep: true } watchdog)
        {
            watchdog.WakeUp();
        }
    }

    /// <summary>The loop is about to wait. It keeps nothing alive meanwhile.</summary>
    internal void Rest()
    {
        _state = null;
        Volatile.Write(ref _running, null);
    }

    /// <summary>A guest is about to run. The caller keeps the ticket.</summary>
    internal long BeginGuest(ILoopGuest guest)
    {
        Begin(guest);
        Volatile.Write(ref _guest, _step);
        return _step;
    }

    /// <summary>The guest has returned. False: the loop is another thread's.</summary>
    internal bool TryEndGuest(long ticket) => Interlocked.CompareExchange(ref _guest, None, ticket) == ticket;

    /// <summary>Whether the present step is a guest's, so that its number is its ticket. Any thread.</summary>
    internal bool IsGuest(long step) => Volatile.Read(ref _guest) == step;

    /// <summary>Takes the loop from the guest: the calling thread's from now on. False: the guest has returned.</summary>
    internal bool TryTake(long ticket) => Interlocked.CompareExchange(ref _guest, Taken, ticket) == ticket;
}
