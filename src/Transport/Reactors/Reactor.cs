using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Reactors;

/// <summary>The native reactor: a dispatcher of its own on one driver, one queue and one clock. No loop beneath.</summary>
/// <remarks>
/// <para>One turn is: the cross-thread calls queued at its beginning, the delayed calls due at its beginning, what was asked for with
/// <see cref="ReactorBase.CallBeforePoll"/> (a shutdown among it), one poll, and the descriptors that the poll found. The turn is in
/// <c>Reactor.Turn.cs</c>.</para>
/// <para>Code that awaits in a callback continues on the reactor, in a later turn.</para>
/// </remarks>
public sealed partial class Reactor : ReactorBase, IPostTarget, IDisposable
{
    private readonly IIoDriver _driver;
    private readonly TimeProvider _clock;
    private readonly DriverSleep _sleep;
    private readonly LoopSynchronizationContext _context;
    private int _threadId;
    private bool _ended;
    private bool _sendsGuestsAway;

    /// <summary>Makes a reactor. It runs when <see cref="IReactorCore.Run(bool)"/> is called.</summary>
    /// <exception cref="PlatformNotSupportedException">This platform does not have the driver that was asked for.</exception>
    public Reactor(ReactorOptions? options = null)
        : this(options ?? new ReactorOptions(), driver: null)
    {
    }

    /// <param name="options">How it is made.</param>
    /// <param name="driver">Belongs to the reactor from here on. Null: the one that the options ask for.</param>
    internal Reactor(ReactorOptions options, IIoDriver? driver) : base(options.Logger)
    {
        Name = options.Name;
        IsInGroup = options.IsInGroup;
        _clock = options.TimeProvider;
        _driver = driver ?? IoDriverFactory.Create(options.Driver);
        _sleep = new DriverSleep(_driver);
        _guests = new LoopGuests(Activity, ReportFromAnywhere);
        _context = new LoopSynchronizationContext(this);
    }

    /// <summary>The name it was made with.</summary>
    public string Name { get; }

    /// <summary>The driver underneath, for logs and statistics.</summary>
    public string DriverName => _driver.Name;

    /// <summary>
    /// Told of each exception that escapes user code, on the reactor's thread. Null, as at first: it is logged. Any thread may set it.
    /// </summary>
    public LoopExceptionHandler? ExceptionHandler { get; set; }

    /// <inheritdoc />
    public override TimeSpan Time => _clock.GetElapsedTime(0);

    /// <inheritdoc />
    public override bool IsInReactorThread => Volatile.Read(ref _threadId) == Environment.CurrentManagedThreadId;

    /// <summary>Whether a group has it, which alone turns and closes it.</summary>
    internal bool IsInGroup { get; }

    internal LoopActivity Activity { get; } = new();

    bool IPostTarget.IsOnThread => IsInReactorThread;

    /// <summary>What the reactor has done so far. Any thread; the counts may be a turn old.</summary>
    public LoopStatistics GetStatistics() => new(
        Name, _driver.Name, Math.Max(Volatile.Read(ref _threadId), 0), Activity.Turns, _calls.Taken, _calls.Count, _timers.Count);

    private protected override void RunCore()
    {
        ThrowIfNotRestartable();
        Dispatch(Timeout.InfiniteTimeSpan, once: false);
    }

    /// <inheritdoc />
    public override void Iterate(TimeSpan wait)
    {
        ThrowIfBadWait(wait);
        ThrowIfNotRestartable();
        Dispatch(wait, once: true);
    }

    /// <summary>
    /// Fires the shutdown, if it has not been, without waiting for tasks of its triggers; disconnects what is still registered, cancels
    /// the delayed calls and drops the cross-thread calls. A run ends with the present turn. Harmless when repeated. Reactor thread, or
    /// any one thread while the reactor does not run. Does nothing to a reactor of a <see cref="LoopGroup"/>, which is the group's to
    /// close: the scope of a DI container disposes of all that it hands out.
    /// </summary>
    /// <exception cref="InvalidOperationException">The reactor runs on another thread.</exception>
    public void Dispose()
    {
        if (!IsInGroup)
        {
            CloseForGood();
        }
    }

    internal override void ShutDown() => FireShutdownNow();

    /// <summary>Runs <paramref name="guest"/> when what runs now has returned. Reactor thread.</summary>
    /// <exception cref="InvalidOperationException">The reactor runs on another thread, or a guest has this one.</exception>
    internal void Invite(ILoopGuest guest)
    {
        ThrowIfOffThread();
        if (_sendsGuestsAway)
        {
            _guests.SendAway(guest);
        }
        else
        {
            _guests.Invite(guest);
        }
    }

    /// <summary>For the group, which is about to close what is on the reactor: whoever is invited runs elsewhere. No thread turns it.</summary>
    internal void SendGuestsAway()
    {
        _sendsGuestsAway = true;
        _guests.SendAway();
    }

    /// <summary>
    /// For the group: as <see cref="IReactorCore.Run(bool)"/>, without signals, which are the host's. False: another thread of the group's
    /// has taken the reactor over, and goes on with it.
    /// </summary>
    internal bool RunInGroup()
    {
        ThrowIfNotRestartable();
        Signals.Decline();
        return TurnInGroup(static reactor => reactor.Dispatch(Timeout.InfiniteTimeSpan, once: false));
    }

    /// <summary>For the group, on a thread that has taken the reactor from a guest: tells that, and is not yet on the reactor.</summary>
    internal void TellOvertaken() => _guests.TellOvertaken();

    /// <summary>For the group: goes on in the middle of the turn, on such a thread.</summary>
    /// <returns>As <see cref="RunInGroup"/>.</returns>
    internal bool GoOn()
    {
        Volatile.Write(ref _threadId, Environment.CurrentManagedThreadId);
        return TurnInGroup(static reactor => reactor.RunHere(begins: false));
    }

    /// <summary>For the group: ends the run with the present turn, or with its first. Any thread.</summary>
    internal void EndGroupRun() => Post(static reactor => ((Reactor)reactor!)._ended = true, this);

    internal void CloseForGood()
    {
        if (IsInReactorThread)
        {
            Close();
            _ended = true; // and the rest when the turn below us on the stack has ended
            return;
        }

        if (IsDisposed)
        {
            return;
        }

        // From here on this thread is the reactor: who is told of his loss may assert that it is.
        if (!TryEnter())
        {
            throw OffThread();
        }

        Close();
        Leave();
    }

    internal override void Report(Exception exception, object? source)
    {
        if (ExceptionHandler is not { } handler)
        {
            Log(exception, source);
            return;
        }

        try
        {
            handler(exception, source);
        }
        catch (Exception e)
        {
            // The handler is user code too: what it was told must not be lost with it.
            Log(e, handler);
            Log(exception, source);
        }
    }

    // A reactor that a group turns is stopped and crashed as one on a loop that others run: its thread goes on (R-CORE-33).
    private protected override void EndRun() => _ended |= IsInReactorThread && !IsInGroup;

    private bool Dispatch(TimeSpan wait, bool once)
    {
        if (!TryEnter())
        {
            throw new ReactorAlreadyRunningException();
        }

        _ended = false;
        _wait = wait;
        _once = once;
        return RunHere(begins: true);
    }

    private bool TurnInGroup(Func<Reactor, bool> run)
    {
        bool isMine = true;
        try
        {
            isMine = run(this);
        }
        finally
        {
            if (isMine)
            {
                Signals.Leave();
            }
        }

        return isMine;
    }

    // False: overtaken.
    private bool RunHere(bool begins)
    {
        // What a run changes about its thread is put back at its end; the reactor's own state only by the thread that still has the reactor.
        DispatchThread thread = DispatchThread.Take();
        bool isMine = true;
        try
        {
            SynchronizationContext.SetSynchronizationContext(_context);
            if (begins)
            {
                Begin();
            }

            isMine = RunTurns();
        }
        finally
        {
            thread.Dispose();
            if (isMine)
            {
                Leave();
            }
        }

        return isMine;
    }

    private bool TryEnter() => Interlocked.CompareExchange(ref _threadId, Environment.CurrentManagedThreadId, 0) == 0;

    private void Leave()
    {
        if (IsDisposed)
        {
            DropCalls();
            SendGuestsAway();
            _watches.Clear();
            _driver.Dispose();
        }

        Volatile.Write(ref _threadId, 0);
    }

    private void ThrowIfOffThread()
    {
        int owner = Volatile.Read(ref _threadId);
        if (owner != 0 && owner != Environment.CurrentManagedThreadId)
        {
            throw OffThread();
        }
    }

    private InvalidOperationException OffThread()
        => new($"The reactor '{Name}' runs on another thread: hand the call over with CallFromThread.");

    // On the reactor, if there is one left to come to.
    private void ReportFromAnywhere(Exception exception, object? source)
    {
        if (!Post(
            static escaped =>
            {
                (Reactor reactor, Exception exception, object? source) = ((Reactor, Exception, object?))escaped!;
                reactor.Report(exception, source);
            },
            (this, exception, source)))
        {
            Report(exception, source);
        }
    }

    private void Log(Exception exception, object? source)
    {
        try
        {
            if (source is LoopExceptionHandler)
            {
                Logger.ReactorExceptionHandlerFailed(exception);
            }
            else
            {
                Logger.ReactorCallbackFailed(exception, Describe(source));
            }
        }
        catch (Exception)
        {
            // The log itself is broken: there is nowhere left to tell, and the reactor's connections are worth more than the message.
        }
    }
}
