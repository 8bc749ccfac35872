using System.Diagnostics.CodeAnalysis;

namespace LoopBridge.Reactors;

/// <summary>
/// A reactor's pool of threads, made when it is asked for: it starts with the reactor and ends with its shutdown. Any thread.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "Discard and Shut are its ends.")]
internal sealed class ReactorWorkers(ReactorBase reactor)
{
    private readonly Lock _lock = new();
    private ReactorThreadPool? _pool;
    private bool _open;
    private bool _shut;

    /// <summary>The pool; another one if somebody stopped the last (R-THR-09). Null after the end.</summary>
    internal ReactorThreadPool? Pool
    {
        get
        {
            lock (_lock)
            {
                if (_pool is not { IsStopped: false } && !_shut)
                {
                    _pool = new ReactorThreadPool(0, ReactorThreadPool.DefaultMaximum, "LoopBridge reactor worker", Report);
                    if (_open)
                    {
                        _pool.Start();
                    }
                }

                return _shut ? null : _pool;
            }
        }
    }

    internal void Open()
    {
        lock (_lock)
        {
            _open = !_shut;
            if (_open)
            {
                _pool?.Start();
            }
        }
    }

    /// <summary>The reactor ended but may run again: later work waits for that.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _open = false;
            _pool?.Hold();
        }
    }

    /// <summary>Ends a pool that was asked for and never started (R-THR-10).</summary>
    internal void Discard() => Take(isLast: false)?.Stop();

    /// <summary>For good. Waits until the work that was taken has ended.</summary>
    internal void Shut() => Take(isLast: true)?.Stop();

    private ReactorThreadPool? Take(bool isLast)
    {
        lock (_lock)
        {
            ReactorThreadPool? pool = _pool;
            _pool = null;
            _shut |= isLast;
            _open = false;
            return pool;
        }
    }

    // Observers of exceptions live on the reactor's thread; when that is gone, here is the only place left.
    private void Report(Exception exception, object? source)
    {
        if (!reactor.Post(_ => reactor.Report(exception, source), null))
        {
            reactor.Report(exception, source);
        }
    }
}
