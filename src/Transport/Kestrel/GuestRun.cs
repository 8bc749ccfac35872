namespace LoopBridge.Kestrel;

/// <summary>
/// The time for which a connection's code is the guest of its loop's thread, and its flushes meanwhile: they are held until the run ends,
/// so that what sixteen pipelined requests are answered leaves in one send. Mutable, a part of its connection: never to be copied.
/// </summary>
/// <remarks>
/// <para>Held, but for no longer than the code keeps its loop: who takes the loop over sends what is held by then, and later
/// flushes of that run are sent at once. So no response waits behind a handler that blocks after it.</para>
/// <para>A run that lost its loop is the connection's run until its code returns. What else comes for the connection meanwhile runs
/// elsewhere, and so there is never more than one.</para>
/// </remarks>
internal struct GuestRun
{
    private const int None = 0;
    private const int Running = 1;
    private const int Holding = 2;
    private const int Overtaken = 3;

    private int _state;
    private int _thread;

    /// <summary>Begins a run on the calling thread. False: one that lost its loop has not returned yet.</summary>
    internal bool TryBegin()
    {
        if (Interlocked.CompareExchange(ref _state, Running, None) != None)
        {
            return false;
        }

        Volatile.Write(ref _thread, Environment.CurrentManagedThreadId);
        return true;
    }

    /// <summary>Whether the calling thread is the run's.</summary>
    internal bool IsOn => Volatile.Read(ref _thread) == Environment.CurrentManagedThreadId;

    /// <summary>
    /// Whether bytes that were flushed just now may wait for the end of the run: only where the run itself has flushed them, and has its
    /// loop. Any thread.
    /// </summary>
    internal bool TryHold()
        => IsOn
            && Interlocked.CompareExchange(ref _state, Holding, Running) is Running or Holding;

    /// <summary>The code has returned, with the loop or without. True: something is held, and leaves at the end of the turn.</summary>
    internal bool End()
    {
        Volatile.Write(ref _thread, 0);
        return Interlocked.Exchange(ref _state, None) == Holding;
    }

    /// <summary>
    /// The loop goes on without the run, which may be ending at this moment. True: something is held, and now the caller's to send.
    /// </summary>
    internal bool Overtake()
        => Interlocked.CompareExchange(ref _state, Overtaken, Running) == Holding
            && Interlocked.CompareExchange(ref _state, Overtaken, Holding) == Holding;
}
