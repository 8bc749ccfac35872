using LoopBridge.Deferreds;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Reactors;

/// <summary>
/// Threads for work that blocks: as many at a time as it may have, the rest waits in order. Descends from Twisted's <c>ThreadPool</c>.
/// Any thread.
/// </summary>
/// <remarks>
/// Own threads and not .NET's pool, because these can be joined: when <see cref="Stop"/> returns, all that was taken has ended. A thread is
/// started when work comes and none is idle, and ends when it has been idle for a while.
/// </remarks>
public sealed class ReactorThreadPool : IDisposable
{
    /// <summary>The default of the most threads: that of Twisted's reactor.</summary>
    public const int DefaultMaximum = 10;

    // As long as .NET's own pool keeps its threads.
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(20);

    private readonly object _gate = new();
    private readonly Queue<Work> _waiting = new();
    private readonly HashSet<Thread> _threads = [];
    private readonly Action<Exception, object?> _report;
    private readonly string _name;
    private int _busy;
    private bool _isOpen;
    private bool _isStopped;

    /// <summary>Makes a pool. It has no thread before it is started.</summary>
    /// <param name="minimum">How many threads it keeps while it runs, idle or not. Defaults to none.</param>
    /// <param name="maximum">How many it has at most. Defaults to <see cref="DefaultMaximum"/>.</param>
    /// <param name="name">The name of its threads. Defaults to <c>LoopBridge worker</c>.</param>
    /// <param name="logger">Where exceptions go that escape the work. Defaults to nowhere.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="minimum"/> is negative, or <paramref name="maximum"/> less than one or than <paramref name="minimum"/>.
    /// </exception>
    public ReactorThreadPool(
        int minimum = 0, int maximum = DefaultMaximum, string name = "LoopBridge worker", ILogger? logger = null)
        : this(minimum, maximum, name, ReportTo(logger ?? NullLogger.Instance))
    {
    }

    internal ReactorThreadPool(int minimum, int maximum, string name, Action<Exception, object?> report)
    {
        ArgumentNullException.ThrowIfNull(name);
        ThrowIfOutOfRange(minimum, maximum);
        Minimum = minimum;
        Maximum = maximum;
        _name = name;
        _report = report;
    }

    /// <summary>How many threads it keeps while it runs.</summary>
    public int Minimum { get; private set; }

    /// <summary>How many threads it has at most, which is how much work runs at the same time.</summary>
    public int Maximum { get; private set; }

    /// <summary>Whether it runs what it is given.</summary>
    public bool IsStarted
    {
        get
        {
            lock (_gate)
            {
                return _isOpen && !_isStopped;
            }
        }
    }

    /// <summary>Whether it has ended, for good.</summary>
    public bool IsStopped
    {
        get
        {
            lock (_gate)
            {
                return _isStopped;
            }
        }
    }

    /// <summary>How many threads it has now.</summary>
    public int Threads
    {
        get
        {
            lock (_gate)
            {
                return _threads.Count;
            }
        }
    }

    /// <summary>How much work waits for a thread.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Runs what waits and what comes. Does nothing to a pool that is started or stopped.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (!_isStopped)
            {
                _isOpen = true;
                Grow();
            }
        }
    }

    /// <summary>
    /// Takes no more work and waits until what it took has ended, what is queued too; of a pool that was never started, what is queued is
    /// dropped. Work that calls this waits for all but itself. Harmless when repeated.
    /// </summary>
    public void Stop()
    {
        Thread[] threads;
        lock (_gate)
        {
            _isStopped = true;
            if (!_isOpen)
            {
                _waiting.Clear();
            }

            threads = [.. _threads];
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in threads)
        {
            if (thread != Thread.CurrentThread)
            {
                thread.Join();
            }
        }
    }

    /// <inheritdoc cref="Stop"/>
    public void Dispose() => Stop();

    /// <summary>Changes how many threads it may have. One that is not started gets none by this; work in progress is left alone.</summary>
    /// <inheritdoc cref="ReactorThreadPool(int, int, string, ILogger?)" path="/exception"/>
    public void Adjust(int minimum, int maximum)
    {
        ThrowIfOutOfRange(minimum, maximum);
        lock (_gate)
        {
            Minimum = minimum;
            Maximum = maximum;
            if (_isOpen && !_isStopped)
            {
                Grow();
            }

            Monitor.PulseAll(_gate); // those that are too many end
        }
    }

    /// <summary>
    /// Runs <paramref name="work"/> on one of the threads, under the caller's ambient context. An exception is reported and ends nothing
    /// else. A pool that is not started keeps it until then.
    /// </summary>
    /// <returns>False if the pool is stopped: the work is dropped.</returns>
    public bool CallInThread(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        lock (_gate)
        {
            if (_isStopped)
            {
                return false;
            }

            if (_isOpen && _waiting.Count >= _threads.Count - _busy && _threads.Count < Maximum)
            {
                AddThread(); // before the work is queued, so that nothing is left behind if the system has no thread to give
            }

            _waiting.Enqueue(new Work(work, ExecutionContext.Capture()));
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>
    /// As <see cref="CallInThread"/>, and tells <paramref name="onResult"/>, on the same thread, what came of it. Only what
    /// <paramref name="onResult"/> itself throws is reported.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <returns>False if the pool is stopped: neither is ever run.</returns>
    public bool CallInThreadWithCallback<T>(Func<T> work, Action<DeferredResult<T>> onResult)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(onResult);
        return CallInThread(() => onResult(ResultOf(work)));
    }

    /// <summary>Work in progress goes on; what waits and what comes is kept for the next <see cref="Start"/>.</summary>
    internal void Hold()
    {
        lock (_gate)
        {
            _isOpen = false;
        }
    }

    internal static DeferredResult<T> ResultOf<T>(Func<T> work)
    {
        try
        {
            return DeferredResult.Success(work());
        }
        catch (Exception e)
        {
            return DeferredResult.Failure<T>(e); // whoever asked for the result learns of it
        }
    }

    private static Action<Exception, object?> ReportTo(ILogger logger)
        => (exception, source) => logger.WorkFailed(exception, ReactorBase.Describe(source));

    private static void ThrowIfOutOfRange(int minimum, int maximum)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimum);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximum, Math.Max(minimum, 1));
    }

    private void Grow()
    {
        while (_threads.Count < Minimum || (_waiting.Count > _threads.Count - _busy && _threads.Count < Maximum))
        {
            AddThread();
        }

        Monitor.PulseAll(_gate);
    }

    private void AddThread()
    {
        var thread = new Thread(Serve) { IsBackground = true, Name = _name };
        thread.UnsafeStart(); // the ambient context comes with each piece of work
        _threads.Add(thread);
    }

    private void Serve()
    {
        ExecutionContext none = ExecutionContext.Capture()!;
        while (Next() is { } work)
        {
            try
            {
                ExecutionContext.Run(work.Context ?? none, static call => ((Action)call!)(), work.Call);
            }
            catch (Exception e)
            {
                _report(e, work.Call); // user code
            }

            lock (_gate)
            {
                _busy--;
            }
        }
    }

    /// <summary>Waits for work. Null ends the thread.</summary>
    private Work? Next()
    {
        lock (_gate)
        {
            bool isOverdue = false;
            while (true)
            {
                bool isTooMany = _threads.Count > Maximum;
                if (_isOpen && !isTooMany && _waiting.TryDequeue(out Work? work))
                {
                    _busy++;
                    return work;
                }

                if (isTooMany || _isStopped || (isOverdue && _threads.Count > Minimum))
                {
                    _threads.Remove(Thread.CurrentThread);
                    Monitor.Pulse(_gate); // it may have been this one that was woken for work
                    return null;
                }

                isOverdue = !Monitor.Wait(_gate, IdleTime);
            }
        }
    }

    private sealed record Work(Action Call, ExecutionContext? Context);
}
