using Microsoft.Extensions.Logging;

namespace LoopBridge.Loops;

/// <summary>One loop of a group, with its thread and the count of connections placed on it.</summary>
public sealed class LoopMember
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int Ended = 2;
    private const int ClosesItself = 3;

    private readonly ILoopEngine _engine;
    private readonly ElasticThreads _threads;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Thread? _thread;
    private string? _holder;
    private int _life;
    private int _connections;
    private long _placed;
    private long _readPauses;
    private long _handOvers;
    private long _overstays;

    /// <param name="number">Its place in the group.</param>
    /// <param name="engine">Belongs to the member from here on.</param>
    /// <param name="threads">Where its threads come from.</param>
    /// <param name="logger">Told of a loop that changes its thread, or does not stop.</param>
    internal LoopMember(int number, ILoopEngine engine, ElasticThreads threads, ILogger logger)
    {
        Number = number;
        _engine = engine;
        _threads = threads;
        _logger = logger;
    }

    /// <summary>Its place in the group, from zero.</summary>
    public int Number { get; }

    /// <summary>The loop.</summary>
    public IEventLoop Loop => _engine.Loop;

    /// <summary>Connections placed here and not yet released. Any thread.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>
    /// Runs of HTTP code that have held the loop's thread beyond <see cref="LoopBridgeOptions.OverstayLimit"/>, under
    /// <see cref="LoopScheduling.Adaptive"/>. Since the start; any thread.
    /// </summary>
    public long Overstays => Interlocked.Read(ref _overstays);

    /// <summary>
    /// How many of them have lost the loop, which went on with another thread. Fewer than <see cref="Overstays"/>, if some returned just
    /// before or no thread was to be had. Since the start; any thread.
    /// </summary>
    public long HandOvers => Interlocked.Read(ref _handOvers);

    /// <summary>Connections ever placed here. Any thread.</summary>
    internal long Placed => Interlocked.Read(ref _placed);

    /// <summary>How often a connection here stopped receiving because its reader was behind. Any thread.</summary>
    internal long ReadPauses => Interlocked.Read(ref _readPauses);

    internal string Name => _engine.Name;

    internal LoopActivity Activity => _engine.Activity;

    /// <summary>Null until somebody measures.</summary>
    internal LoopInstruments? Instruments { get; set; }

    /// <summary>What holds the loop for longer than it should, at this moment. Null: nothing. Any thread.</summary>
    internal string? Holder { get => Volatile.Read(ref _holder); set => Volatile.Write(ref _holder, value); }

    /// <summary>Whether it has one of the group's threads.</summary>
    internal bool IsRunning => Volatile.Read(ref _life) is Running or ClosesItself;

    /// <summary>What the loop has done so far. Any thread.</summary>
    public LoopStatistics GetStatistics() => _engine.GetStatistics();

    /// <summary>How long a callback waits on this loop now. Any thread.</summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public Task<TimeSpan> MeasureLagAsync()
    {
        var ran = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        TimeSpan posted = Loop.Time;
        bool queued = Loop.AddCallback(() => ran.SetResult(Loop.Time - posted));
        ObjectDisposedException.ThrowIf(!queued, Loop);
        return ran.Task;
    }

    /// <summary>Counts one connection less. Any thread.</summary>
    public void Release() => Interlocked.Decrement(ref _connections);

    /// <summary>
    /// Runs <paramref name="guest"/> on the loop's thread when the callback or handler that runs now has returned, before the next one of
    /// the turn. Guests run in the order of invitation. Loop thread; a guest is not on it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The loop runs on another thread, or a guest has this one.</exception>
    internal void Invite(ILoopGuest guest) => _engine.Invite(guest);

    internal void Retain()
    {
        Interlocked.Increment(ref _connections);
        Interlocked.Increment(ref _placed);
    }

    internal void CountReadPause() => Interlocked.Increment(ref _readPauses);

    internal void CountOverstay(string? origin)
    {
        Interlocked.Increment(ref _overstays);
        Instruments?.Overstayed(this, origin);
    }

    internal void StartThread()
    {
        Volatile.Write(ref _life, Running);
        _threads.Queue(new FirstRun(this));
    }

    /// <summary>On a spare thread: goes on with the loop, if the guest with that ticket still has it.</summary>
    internal void TakeOver(long ticket)
    {
        (object? guest, _) = Activity.Present;
        if (!Activity.TryTake(ticket))
        {
            return;
        }

        Activity.Begin("A hand-over"); // the guest holds its own thread from here on, and no loop
        Interlocked.Increment(ref _handOvers);
        Instruments?.HandedOver(this);
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            _logger.LoopHandedOver(RunningCode.Describe((guest, null)), Name);
        }

        RunHere(static engine => engine.GoOn());
    }

    internal void RequestStop()
    {
        if (IsRunning)
        {
            _engine.Stop();
        }
    }

    /// <summary>
    /// Waits for the end of the run and closes the loop. On the loop's own thread, which cannot wait for itself, and after a while on any
    /// other: leaves that to the thread that ends the run.
    /// </summary>
    internal void Close()
    {
        if (IsRunning)
        {
            bool isOwn = Loop.IsOnLoopThread;
            if (!isOwn && !_end.Task.Wait(StopLimit))
            {
                // A handler blocks the loop. The process is on its way out and must not hang for it; the thread is a background one.
                _logger.LoopStuck(Name, StopLimit);
            }

            if (Interlocked.CompareExchange(ref _life, ClosesItself, Running) == Running)
            {
                return;
            }
        }

        _engine.Dispose();
    }

    /// <summary>Waits until the thread that ended the run has ended itself, which must have been asked of <see cref="ElasticThreads"/>.</summary>
    internal void Join()
    {
        if (Volatile.Read(ref _life) == Ended && _thread is { } thread && thread != Thread.CurrentThread)
        {
            thread.Join(StopLimit);
        }
    }

    // As long as Kestrel gives its connections after an abort, and then some.
    private static TimeSpan StopLimit => TimeSpan.FromSeconds(5);

    private void RunHere(Func<ILoopEngine, bool> run)
    {
        Thread thread = Thread.CurrentThread;
        string? name = thread.Name;
        if (_thread is { } lost)
        {
            lost.Name = name; // what it was before it had the loop: both are workers, and it may be for long that it runs its guest
        }

        thread.Name = $"LoopBridge {Name}";
        _thread = thread;
        bool hasEnded = run(_engine);
        thread.Name = name;
        if (!hasEnded)
        {
            return; // another thread's by now
        }

        if (Interlocked.CompareExchange(ref _life, Ended, Running) == ClosesItself)
        {
            _engine.Dispose();
            Volatile.Write(ref _life, Ended);
        }

        _end.SetResult();
    }

    private sealed class FirstRun(LoopMember member) : IThreadPoolWorkItem
    {
        public void Execute() => member.RunHere(static engine => engine.Run());
    }
}
