namespace LoopBridge.Resolvers;

/// <summary>
/// Threads that do nothing but block in getaddrinfo, and the line of lookups before them. A lookup whose servers are silent holds its
/// thread for ten seconds and more, and nothing can call it back; on the shared pool a few dozen of these would stop every other program
/// part, here they stop at most each other.
/// </summary>
/// <remarks>
/// Threads start when there is more work than idle threads, and end when idle for a while or when the last resolver has gone. They are
/// background threads, so none holds up the end of the process (D-24, D-28). The line needs no bound of its own: each lookup in it
/// has a caller, and resolvers count those.
/// </remarks>
internal sealed class LookupThreads(int maxThreads, TimeSpan idleTimeout)
{
    private static readonly Lock SharedGate = new();
    private static LookupThreads? _shared;
    private static int _sharedUsers;

    private readonly object _gate = new(); // a Monitor, for its Wait and Pulse
    private readonly LinkedList<Lookup> _line = [];
    private int _threads;
    private int _idle;
    private int _started;
    private bool _ended;

    public int MaxThreads => maxThreads;

    /// <summary>How many threads there are now, working, stuck or idle.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _threads;
        }
    }

    /// <summary>
    /// The process's own threads, sized by the first who asks while there are none (L-RES-04). Each call needs one <see cref="Return"/>.
    /// </summary>
    public static LookupThreads Rent(int maxThreads, TimeSpan idleTimeout)
    {
        lock (SharedGate)
        {
            _sharedUsers++;
            return _shared ??= new LookupThreads(maxThreads, idleTimeout);
        }
    }

    /// <summary>Says that one user less needs these threads; without users they end, stuck ones when they come back.</summary>
    public void Return()
    {
        lock (SharedGate)
        {
            if (ReferenceEquals(this, _shared))
            {
                if (--_sharedUsers > 0)
                    return;
                _shared = null;
            }
        }

        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Puts a lookup in line: some thread will run it, or refuse it if there is no thread and none can be started.</summary>
    public void Enqueue(Lookup lookup)
    {
        int number;
        lock (_gate)
        {
            _line.AddLast(lookup.InLine);
            if (_idle > 0)
                Monitor.Pulse(_gate);

            // An idle thread that was woken counts as idle until it has the lock, so compare with all that wait in line for one.
            if (_line.Count <= _idle || _threads == maxThreads)
                return;
            _threads++;
            number = ++_started;
        }

        // Outside of the lock: it waits for the new thread to come up.
        StartThread(number);
    }

    /// <summary>Takes a lookup out of the line. False if a thread has it, or had it.</summary>
    public bool TryRemove(Lookup lookup)
    {
        lock (_gate)
        {
            if (lookup.InLine.List is null)
                return false;
            _line.Remove(lookup.InLine);
            return true;
        }
    }

    private void StartThread(int number)
    {
        try
        {
            // Linux shows 15 characters of the name. Unsafe: the caller's ambient values are not the thread's business.
            new Thread(Run) { IsBackground = true, Name = $"lb-resolver-{number}" }.UnsafeStart();
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            // Expected at the limit of threads (EAGAIN). Those that exist will do the work; if there are none, nobody would.
            Lookup[] refused = [];
            lock (_gate)
            {
                if (--_threads == 0)
                {
                    refused = [.. _line];
                    _line.Clear();
                }
            }

            foreach (Lookup lookup in refused)
                lookup.Resolver.Refuse(lookup);
        }
    }

    private void Run()
    {
        while (Next() is { } lookup)
            lookup.Resolver.Run(lookup);
    }

    // The next in line, or null if the thread should end; it is no longer counted then.
    private Lookup? Next()
    {
        lock (_gate)
        {
            while (_line.First is null)
            {
                _idle++;
                bool woken = !_ended && Monitor.Wait(_gate, idleTimeout);
                _idle--;
                if (woken || _line.First is not null)
                    continue;
                _threads--;
                return null;
            }

            Lookup next = _line.First.Value;
            _line.RemoveFirst();
            return next;
        }
    }
}
