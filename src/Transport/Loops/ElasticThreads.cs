namespace LoopBridge.Loops;

/// <summary>
/// Threads of our own for work that may block: as many as there is work, up to a bound; beyond it work waits, first in, first out. A thread
/// is started when work comes and none is idle, and ends when it was idle for a while. Any thread.
/// </summary>
/// <remarks>
/// Not the thread pool, which grows by a thread or two a second when its threads are blocked while everything else that runs on it waits as
/// well. The thread that became idle last is used first, so that those not needed can end.
/// </remarks>
internal sealed class ElasticThreads : IDisposable
{
    // As long as the .NET thread pool keeps its own.
    private static readonly TimeSpan DefaultIdleTime = TimeSpan.FromSeconds(20);

    private readonly Lock _lock = new();
    private readonly Queue<IThreadPoolWorkItem> _waiting = new();
    private readonly List<Worker> _idle = [];
    private readonly string _name;
    private readonly int _most;
    private readonly TimeSpan _idleTime;
    private int _total;
    private bool _disposed;

    /// <summary>It has no thread before it has work.</summary>
    /// <param name="most">How many threads there may be.</param>
    /// <param name="name">What they are called.</param>
    /// <param name="idleTime">How long one waits for work before it ends. Defaults to 20 s.</param>
    internal ElasticThreads(int most, string name = "LoopBridge worker", TimeSpan? idleTime = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        _most = most;
        _name = name;
        _idleTime = idleTime ?? DefaultIdleTime;
    }

    /// <summary>Threads there are.</summary>
    internal int Total => Volatile.Read(ref _total);

    /// <summary>Threads that work.</summary>
    internal int Busy
    {
        get
        {
            lock (_lock)
            {
                return _total - _idle.Count;
            }
        }
    }

    /// <summary>Work that waits for a thread.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>
    /// Runs it, at once if a thread is to be had. It is taken also after the end: whoever waits for it must not wait for ever. What it
    /// throws ends the process, as on the thread pool.
    /// </summary>
    internal void Queue(IThreadPoolWorkItem work)
    {
        if (TryRun(work))
        {
            return;
        }

        lock (_lock)
        {
            if (_idle.Count == 0 && _total > 0)
            {
                _waiting.Enqueue(work);
                return;
            }
        }

        // One has become idle meanwhile; or there is none, and the system gives us none.
        if (!TryRun(work))
        {
            ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        }
    }

    /// <summary>Runs it at once; false, and nothing happens, if no thread is to be had.</summary>
    internal bool TryRun(IThreadPoolWorkItem work)
    {
        lock (_lock)
        {
            if (_idle.Count > 0)
            {
                Worker worker = _idle[^1];
                _idle.RemoveAt(_idle.Count - 1);
                worker.Call(work);
                return true;
            }

            if (_total == _most)
            {
                return false;
            }

            _total++;
        }

        try
        {
            new Worker(this, work).Start();
            return true;
        }
        catch (OutOfMemoryException)
        {
            // The system's limit of threads is lower than ours (pthread_create(3): EAGAIN).
            lock (_lock)
            {
                _total--;
            }

            return false;
        }
    }

    /// <summary>Threads end as soon as they have nothing to do. Harmless when repeated.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (Worker worker in _idle)
            {
                worker.Call(null);
            }

            _total -= _idle.Count;
            _idle.Clear();
        }
    }

    // Null: the worker is no longer one.
    private IThreadPoolWorkItem? Next(Worker worker)
    {
        lock (_lock)
        {
            if (_waiting.TryDequeue(out IThreadPoolWorkItem? work))
            {
                return work;
            }

            if (_disposed)
            {
                _total--;
                return null;
            }

            _idle.Add(worker);
        }

        if (!worker.WaitForCall(_idleTime))
        {
            lock (_lock)
            {
                if (_idle.Remove(worker))
                {
                    _total--;
                    return null;
                }
            }

            worker.WaitForCall(Timeout.InfiniteTimeSpan); // it was chosen at the last moment
        }

        return worker.TakeWork();
    }

    private sealed class Worker(ElasticThreads threads, IThreadPoolWorkItem? work)
    {
        private readonly object _gate = new();
        private IThreadPoolWorkItem? _work = work;
        private bool _isCalled;

        internal void Start() => new Thread(Work) { IsBackground = true, Name = threads._name }.UnsafeStart();

        /// <param name="work">Null: it shall end.</param>
        internal void Call(IThreadPoolWorkItem? work)
        {
            lock (_gate)
            {
                _work = work;
                _isCalled = true;
                Monitor.Pulse(_gate);
            }
        }

        /// <summary>False if nobody has called it within the limit.</summary>
        internal bool WaitForCall(TimeSpan limit)
        {
            lock (_gate)
            {
                if (!_isCalled)
                {
                    Monitor.Wait(_gate, limit); // its answer is not the last word: a call may come between the limit and the lock
                }

                bool isCalled = _isCalled;
                _isCalled = false;
                return isCalled;
            }
        }

        internal IThreadPoolWorkItem? TakeWork()
        {
            IThreadPoolWorkItem? work = _work;
            _work = null;
            return work;
        }

        private void Work()
        {
            ExecutionContext? ambient = ExecutionContext.Capture();
            for (IThreadPoolWorkItem? work = TakeWork(); work is not null; work = threads.Next(this))
            {
                work.Execute();

                // What it left on the thread is not for the next one.
                SynchronizationContext.SetSynchronizationContext(null);
                if (ambient is not null)
                {
                    ExecutionContext.Restore(ambient);
                }
            }
        }
    }
}
