using LoopBridge.Drivers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Loops;

/// <summary>The native loop: one thread, one driver, one queue, one clock.</summary>
/// <remarks>
/// Its turn is in <c>EventLoop.Turn.cs</c>. Everything a turn knows stands in fields of the loop (and of the driver's cursor), nothing in
/// locals of the thread, so that another thread can go on in the middle of a turn.
/// </remarks>
public sealed partial class EventLoop : IEventLoop, IPostTarget
{
    private readonly IIoDriver _driver;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CallbackQueue _callbacks = new();
    private readonly LoopWorkItem.Carrier _carrier = new();
    private readonly TimerQueue _timers = new();
    private readonly LoopGuests _guests;
    private readonly HashSet<IDisposable> _owned = [];
    private readonly DriverSleep _sleep;
    private readonly ExceptionReporter _exceptions;
    private readonly IEventLoop _face;
    private readonly LoopSlot? _claimed;
    private TaskScheduler _defaultExecutor = ThreadExecutor.Shared;
    private int _threadId;
    private volatile bool _stopRequested;
    private volatile bool _closing;
    private volatile bool _closed;
    private int _running;

    /// <summary>Makes a loop. It runs when <see cref="Start"/> is called.</summary>
    /// <exception cref="PlatformNotSupportedException">This platform does not have the driver that was asked for.</exception>
    /// <exception cref="InvalidOperationException">
    /// <see cref="EventLoopOptions.MakeCurrent"/> is true, and this thread has a current loop already.
    /// </exception>
    public EventLoop(EventLoopOptions? options = null)
        : this(options ?? new EventLoopOptions(), driver: null, face: null)
    {
    }

    /// <summary>Makes a loop on a driver of the caller's, or one that works inside another loop.</summary>
    /// <param name="options">How it is made.</param>
    /// <param name="driver">Belongs to the loop from here on. Null: the one that the options ask for.</param>
    /// <param name="face">The loop that its users know and find as <see cref="CurrentLoop.Value"/>. Null: itself.</param>
    internal EventLoop(EventLoopOptions options, IIoDriver? driver, IEventLoop? face)
    {
        CurrentLoop.ThrowIfTaken(options.MakeCurrent);
        _face = face ?? this;
        Name = options.Name;
        IsInGroup = options.IsInGroup;
        _clock = options.TimeProvider;
        _logger = options.Logger ?? NullLogger.Instance;
        _driver = driver ?? IoDriverFactory.Create(options.Driver);
        _sleep = new DriverSleep(_driver);
        _exceptions = new ExceptionReporter(_logger, Name);
        _guests = new LoopGuests(Activity, ReportFromAnywhere);
        SynchronizationContext = new LoopSynchronizationContext(this);
        Scheduler = new LoopTaskScheduler(this);
        _claimed = CurrentLoop.Claim(_face, options.MakeCurrent);
    }

    /// <summary>The name it was made with.</summary>
    public string Name { get; }

    /// <summary>The driver underneath, for logs and statistics.</summary>
    public string DriverName => _driver.Name;

    /// <inheritdoc />
    public bool IsOnLoopThread => Volatile.Read(ref _threadId) == Environment.CurrentManagedThreadId;

    /// <inheritdoc />
    public TimeSpan Time => _clock.GetElapsedTime(0);

    /// <inheritdoc />
    public SynchronizationContext SynchronizationContext { get; }

    /// <inheritdoc />
    public TaskScheduler Scheduler { get; }

    /// <inheritdoc />
    public LoopExceptionHandler? ExceptionHandler
    {
        get => _exceptions.Handler;
        set => _exceptions.Handler = value;
    }

    /// <inheritdoc />
    public TaskScheduler DefaultExecutor
    {
        get => Volatile.Read(ref _defaultExecutor);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            Volatile.Write(ref _defaultExecutor, value);
        }
    }

    /// <summary>Whether a group has it, which alone may close it.</summary>
    internal bool IsInGroup { get; }

    internal LoopActivity Activity { get; } = new();

    bool IPostTarget.IsOnThread => IsOnLoopThread;

    ISocketDriver? IEventLoop.SocketDriver => _driver;

    /// <summary>What the loop has done so far. Any thread; the counts may be a turn old.</summary>
    public LoopStatistics GetStatistics() => new(
        Name, _driver.Name, Math.Max(Volatile.Read(ref _threadId), 0), Activity.Turns, _callbacks.Taken, _callbacks.Count, _timers.Count);

    /// <inheritdoc />
    public void Start() => Run();

    /// <summary>As <see cref="Start"/>. False: another thread of the group's has taken the loop over, and goes on with it.</summary>
    internal bool Run()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (Interlocked.Exchange(ref _running, 1) == 1)
        {
            throw new InvalidOperationException($"The loop '{Name}' is already running.");
        }

        if (_stopRequested)
        {
            _stopRequested = false; // asked for before the start: this run ends before it begins, and only this one
            Volatile.Write(ref _running, 0);
            return true;
        }

        _logger.LoopStarted(Name, _driver.Name);
        return RunHere();
    }

    /// <summary>For a group: goes on in the middle of the turn, on a thread that has taken the loop from a guest.</summary>
    /// <returns>As <see cref="Run"/>.</returns>
    internal bool GoOn()
    {
        _guests.TellOvertaken();
        return RunHere();
    }

    /// <inheritdoc />
    public void Stop()
    {
        _stopRequested = true;
        if (!IsOnLoopThread)
        {
            _sleep.Wake();
        }
    }

    /// <summary>
    /// Closes the loop: what it still owns is aborted, queued callbacks and timeouts are dropped, handlers unregistered without touching
    /// their descriptors. Harmless when repeated. Does nothing to a loop of a <see cref="LoopGroup"/>, which is the group's to close:
    /// whoever else it was lent to, such as the scope of a DI container, which disposes of all that it hands out, must not close it under
    /// the others.
    /// </summary>
    /// <exception cref="InvalidOperationException">The loop is running.</exception>
    public void Dispose()
    {
        if (!IsInGroup)
        {
            CloseForGood(closeDescriptors: false);
        }
    }

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">The loop is running, or belongs to a <see cref="LoopGroup"/>.</exception>
    public void Close(bool closeDescriptors)
    {
        if (IsInGroup)
        {
            throw new InvalidOperationException($"The loop '{Name}' belongs to a group: dispose of that.");
        }

        CloseForGood(closeDescriptors);
    }

    internal void CloseForGood(bool closeDescriptors)
    {
        if (_closed)
        {
            return;
        }

        if (Interlocked.Exchange(ref _running, 1) == 1)
        {
            throw new InvalidOperationException($"The loop '{Name}' is running: stop it before closing it.");
        }

        // From here on this thread is the loop: what is aborted below may assert that it is.
        Volatile.Write(ref _threadId, Environment.CurrentManagedThreadId);
        _closing = true;
        _guests.SendAway(); // and whoever is invited from here on: a guest may block
        CloseOwned();
        DrainForClose();
        CloseOwned(); // what was still on its way here, such as a listener opened on another thread
        _closed = true;
        _owned.Clear();
        while (_callbacks.TryDequeue(out LoopWorkItem dropped))
        {
            dropped.Drop();
        }

        _beforePoll.Drop();
        _timers.Clear();
        DescriptorHandler[] handlers = [.. _handlers.Values];
        _handlers.Clear();
        _driver.Dispose(); // lets go of the handles
        if (closeDescriptors)
        {
            CloseDescriptors(handlers);
        }

        CurrentLoop.Forget(_face, _claimed);
        Volatile.Write(ref _threadId, 0);
    }

    /// <summary>Runs <paramref name="guest"/> when the callback or handler that runs now has returned. Loop thread.</summary>
    internal void Invite(ILoopGuest guest)
    {
        ThrowIfOffThread();
        if (_closing)
        {
            _guests.SendAway(guest);
        }
        else
        {
            _guests.Invite(guest);
        }
    }

    void IEventLoop.Own(IDisposable resource) => _owned.Add(resource);

    void IEventLoop.Disown(IDisposable resource) => _owned.Remove(resource);

    /// <inheritdoc />
    public void ReportException(Exception exception, object? source = null)
    {
        ArgumentNullException.ThrowIfNull(exception);
        Report(exception, source);
    }

    private bool RunHere()
    {
        // All that a run changes about its thread is put back at its end; the loop's own state only by the thread that still has the loop.
        LoopRun run = CurrentLoop.Enter(_face);
        DispatchThread thread = DispatchThread.Take();
        Volatile.Write(ref _threadId, Environment.CurrentManagedThreadId);
        bool isMine = true;
        try
        {
            isMine = RunTurns();
        }
        catch (Exception e)
        {
            // A bug or a driver that broke: user code never gets its exceptions here.
            _logger.LoopFailed(e, Name);
            throw;
        }
        finally
        {
            if (isMine)
            {
                Volatile.Write(ref _threadId, 0);
            }

            run.Dispose();
            thread.Dispose();
            if (isMine)
            {
                Volatile.Write(ref _running, 0);
                _logger.LoopStopped(Name);
            }
        }

        return isMine;
    }

    private void CloseOwned()
    {
        foreach (IDisposable resource in _owned.ToArray())
        {
            _owned.Remove(resource); // each once: this is done twice
            try
            {
                resource.Dispose();
            }
            catch (Exception e)
            {
                Report(e, resource); // a bug of ours or of a sink; the rest is still to be closed
            }
        }
    }

    private void ThrowIfOffThread()
    {
        int owner = Volatile.Read(ref _threadId);
        if (owner != 0 && owner != Environment.CurrentManagedThreadId)
        {
            throw new InvalidOperationException($"The loop '{Name}' runs on another thread: hand the call over with AddCallback.");
        }
    }

    // On the loop, if there is one left to come to: the handler of exceptions belongs there.
    private void ReportFromAnywhere(Exception exception, object? source)
    {
        if (!EscapedException.Report(this, exception, source))
        {
            Report(exception, source);
        }
    }

    private void Report(Exception exception, object? source) => _exceptions.Report(exception, source);
}
