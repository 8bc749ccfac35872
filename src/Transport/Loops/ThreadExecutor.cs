namespace LoopBridge.Loops;

/// <summary>
/// Runs tasks that may block, on threads of its own: as many at a time as it may have threads, the others wait in order. A thread is
/// started when work comes and none is idle, and ends when it has been idle for a while.
/// </summary>
/// <remarks>
/// Own threads, not the thread pool: what is sent to an executor is there because it blocks, the pool grows by a thread or two a second
/// when its threads are blocked, and everything else that runs on it (HTTP handlers, timers, continuations) would wait as well.
/// </remarks>
public sealed class ThreadExecutor : TaskScheduler, IDisposable
{
    // Tornado's default executor has five threads for each core.
    private const int ThreadsPerCore = 5;

    // As long as the .NET thread pool keeps its own.
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(20);

    [ThreadStatic]
    private static ThreadExecutor? _current;

    private readonly object _gate = new();
    private readonly Queue<Task> _waiting = new();
    private readonly string _name;
    private int _threads;
    private int _idle;
    private bool _disposed;

    /// <summary>Makes an executor. It has no thread before it has work.</summary>
    /// <param name="maxThreads">How many tasks may run at the same time. Zero or less: five for each core.</param>
    /// <param name="name">The name of its threads. Defaults to <c>LoopBridge executor</c>.</param>
    public ThreadExecutor(int maxThreads = 0, string name = "LoopBridge executor")
    {
        ArgumentNullException.ThrowIfNull(name);
        MaximumConcurrencyLevel = maxThreads > 0 ? maxThreads : Environment.ProcessorCount * ThreadsPerCore;
        _name = name;
    }

    /// <summary>The one that all loops of the process share unless they are told otherwise. Five threads for each core at most.</summary>
    public static TaskScheduler Shared { get; } = new ThreadExecutor();

    /// <inheritdoc />
    public override int MaximumConcurrencyLevel { get; }

    /// <summary>Takes no more work. What waits still runs, and the threads end after it. Harmless when repeated. Any thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <inheritdoc />
    protected override void QueueTask(Task task)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_waiting.Count >= _idle && _threads < MaximumConcurrencyLevel)
            {
                // Before the task is queued, so that nothing is left behind if the system has no thread to give.
                new Thread(Work) { IsBackground = true, Name = _name }.UnsafeStart();
                _threads++;
            }

            _waiting.Enqueue(task);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Only work of this executor takes a task over that it waits for, and only one that nobody has queued.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
        => !taskWasPreviouslyQueued && _current == this && TryExecuteTask(task);

    /// <inheritdoc />
    protected override IEnumerable<Task> GetScheduledTasks()
    {
        // A debugger asks with all threads stopped, one of which may be in the lock.
        if (!Monitor.TryEnter(_gate))
        {
            throw new NotSupportedException("The queue is being changed.");
        }

        try
        {
            return [.. _waiting];
        }
        finally
        {
            Monitor.Exit(_gate);
        }
    }

    private void Work()
    {
        _current = this;
        while (TryTake(out Task? task))
        {
            TryExecuteTask(task); // keeps what the task throws in the task
        }
    }

    private bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Task? task)
    {
        lock (_gate)
        {
            while (!_waiting.TryDequeue(out task))
            {
                _idle++;
                bool called = !_disposed && Monitor.Wait(_gate, IdleTime);
                _idle--;
                if (!called && _waiting.Count == 0)
                {
                    _threads--;
                    return false;
                }
            }

            return true;
        }
    }
}
