namespace LoopBridge.Reactors;

/// <summary>The way to the thread pool: closed before the reactor runs, open while it does, and shut for good after. Any thread.</summary>
internal sealed class ReactorWorkers(ReactorBase reactor)
{
    private readonly Lock _lock = new();
    private readonly Queue<Work> _waiting = new();
    private bool _open;
    private bool _shut;

    internal bool Queue(Action callback)
    {
        var work = new Work(reactor, callback, ExecutionContext.Capture());
        lock (_lock)
        {
            if (_shut)
            {
                return false;
            }

            if (!_open)
            {
                _waiting.Enqueue(work);
                return true;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        return true;
    }

    internal void Open()
    {
        lock (_lock)
        {
            _open = !_shut;
            while (_open && _waiting.TryDequeue(out Work? work))
            {
                ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
            }
        }
    }

    /// <summary>The reactor ended but may run again: later work waits for that.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _open = false;
        }
    }

    internal void Discard()
    {
        lock (_lock)
        {
            _waiting.Clear();
        }
    }

    internal void Shut()
    {
        lock (_lock)
        {
            _shut = true;
            _open = false;
            _waiting.Clear();
        }
    }

    private sealed class Work(ReactorBase reactor, Action callback, ExecutionContext? context) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            if (context is null)
            {
                Run();
            }
            else
            {
                ExecutionContext.Run(context, static work => ((Work)work!).Run(), this);
            }
        }

        private void Run()
        {
            try
            {
                callback();
            }
            catch (Exception e)
            {
                // User code. Observers of exceptions live on the reactor's thread; when that is gone, here is the only place left.
                if (!reactor.Post(_ => reactor.Report(e, callback), null))
                {
                    reactor.Report(e, callback);
                }
            }
        }
    }
}
