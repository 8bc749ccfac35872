using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Loops;

/// <summary>
/// The loops of a process, each on a thread of its own, and how connections spread over them. Started on first use or by
/// <see cref="Start"/>; every listener of the process shares them, so no listener owns them.
/// </summary>
public sealed class LoopGroup : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LoopMember[] _members;
    private readonly IdleProcessors _processors;
    private bool _started;
    private volatile bool _disposed;

    /// <summary>Makes a group of native loops.</summary>
    /// <param name="count">How many. Zero or less: one for every two processors.</param>
    /// <param name="driver">The mechanism underneath each. Defaults to <see cref="LoopDriver.Auto"/>.</param>
    /// <param name="timeProvider">Their clock. Defaults to <see cref="TimeProvider.System"/>.</param>
    /// <param name="logger">Where exceptions go that escape callbacks. Defaults to none.</param>
    public LoopGroup(int count = 0, LoopDriver driver = LoopDriver.Auto, TimeProvider? timeProvider = null, ILogger? logger = null)
        : this(count, driver, timeProvider, logger, supervision: null)
    {
    }

    /// <inheritdoc cref="LoopGroup(int, LoopDriver, TimeProvider?, ILogger?)"/>
    internal LoopGroup(int count, LoopDriver driver, TimeProvider? timeProvider, ILogger? logger, LoopSupervision? supervision)
        : this(count, name => MakeNativeLoop(name, driver, timeProvider, logger), logger, supervision)
    {
    }

    /// <param name="count">How many. Zero or less: one for every two processors.</param>
    /// <param name="makeEngine">Makes the engine of a name. It belongs to the group.</param>
    /// <param name="logger">Told of loops that are held, or do not stop.</param>
    /// <param name="supervision">What the watchdog goes by. Null: the defaults.</param>
    internal LoopGroup(int count, Func<string, ILoopEngine> makeEngine, ILogger? logger, LoopSupervision? supervision = null)
    {
        logger ??= NullLogger.Instance;
        supervision ??= LoopSupervision.Default;
        _members = new LoopMember[count > 0 ? count : DefaultCount];

        // The loops' own threads are among them.
        MaxWorkers = supervision.MaxWorkerThreads;
        Workers = new ElasticThreads(MaxWorkers + _members.Length, idleTime: supervision.WorkerIdleTime);
        _processors = supervision.MakeProcessors();
        var relief = new CrowdRelief(_processors);
        var watches = new LoopWatch[_members.Length];
        for (int i = 0; i < _members.Length; i++)
        {
            LoopMember member = _members[i] = new LoopMember(i, makeEngine($"loop-{i}"), Workers, logger);
            watches[i] = new LoopWatch(member, member.Activity, supervision, Workers, relief, logger);
        }

        Watchdog = new LoopWatchdog(watches, supervision.Interval);
        Array.ForEach(_members, member => member.Activity.Watch(Watchdog));
    }

    // Half of the processors: a loop that is busy takes more with each look at its sockets than two that are half busy, and what loops cause
    // needs processors, too (the kernel's work, the thread pool, the collector). Measured on two: one loop serves 1.4 times as many requests
    // a second as two, with a quarter of their p99. Where it is not enough, CrowdRelief lets the rest help.
    private static int DefaultCount => Math.Max(Environment.ProcessorCount / 2, 1);

    /// <summary>How many loops there are.</summary>
    public int Count => _members.Length;

    /// <summary>The loops, in the order of their numbers.</summary>
    public IReadOnlyList<LoopMember> Members => _members;

    /// <summary>For what may block, and must hold up neither a loop nor the thread pool. The loops' threads are among them.</summary>
    internal ElasticThreads Workers { get; }

    internal LoopWatchdog Watchdog { get; }

    /// <summary>How many threads there may be beside those of the loops: <see cref="LoopBridgeOptions.MaxWorkerThreads"/>.</summary>
    public int MaxWorkers { get; }

    /// <summary>How many of them run something now: HTTP code that has overstayed on a loop. Any thread.</summary>
    public int BusyWorkers => Math.Max(Workers.Busy - _members.Count(static member => member.IsRunning), 0);

    /// <summary>Starts the loops' threads. Harmless when repeated. Any thread.</summary>
    public void Start()
    {
        if (Volatile.Read(ref _started))
        {
            return;
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_started)
            {
                Watchdog.Start();
                foreach (LoopMember member in _members)
                {
                    member.StartThread();
                }

                Volatile.Write(ref _started, true);
            }
        }
    }

    /// <summary>
    /// The loop with the fewest connections, and one more counted there until <see cref="LoopMember.Release"/>. Any thread.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The group is closed.</exception>
    public LoopMember Acquire()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Start();
        LoopMember best = _members[0];
        int fewest = best.Connections;
        for (int i = 1; i < _members.Length; i++)
        {
            int connections = _members[i].Connections;
            if (connections < fewest)
            {
                best = _members[i];
                fewest = connections;
            }
        }

        best.Retain();
        return best;
    }

    /// <summary>The member that runs <paramref name="loop"/>, or null.</summary>
    public LoopMember? Find(IEventLoop? loop)
        => Array.Find(_members, member => ReferenceEquals(member.Loop, loop));

    /// <summary>Measures from now on. Once, any thread.</summary>
    internal void Measure(LoopInstruments instruments) => Array.ForEach(_members, member => member.Instruments = instruments);

    private static NativeLoopEngine MakeNativeLoop(string name, LoopDriver driver, TimeProvider? timeProvider, ILogger? logger)
        => new(new EventLoop(new EventLoopOptions
        {
            Name = name,
            Driver = driver,
            TimeProvider = timeProvider ?? TimeProvider.System,
            Logger = logger,
            MakeCurrent = false,
            IsInGroup = true,
        }));

    /// <summary>
    /// Stops the loops, waits for their threads and closes what was left on them. Blocks; harmless when repeated. On a loop's own thread,
    /// where code may find itself that continues inline, that loop is closed when its present turn has ended, after this call.
    /// </summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        // Outside the lock: one of the loops waited for below may be about to do the same.
        foreach (LoopMember member in _members)
        {
            member.RequestStop();
        }

        foreach (LoopMember member in _members)
        {
            member.Close();
        }

        Watchdog.Dispose();
        if (Watchdog.HasEnded)
        {
            _processors.Dispose(); // while it runs, it may be reading there
        }

        Workers.Dispose();
        foreach (LoopMember member in _members)
        {
            member.Join();
        }
    }
}
