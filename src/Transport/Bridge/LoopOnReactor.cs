using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Bridge;

/// <summary>
/// A loop on any reactor, through the reactor's public interface alone. Descends from Tornado's <c>TwistedIOLoop</c>.
/// </summary>
/// <remarks>
/// <para>
/// Whoever runs the reactor runs the loop: its callbacks are cross-thread calls of the reactor, its timeouts delayed calls, its handlers
/// watchers. <see cref="Start"/> runs the reactor, for programs that have nothing else on it, and <see cref="Stop"/> ends that run and only
/// that: a reactor that others run goes on. The reactor may have other users, and other loops; none sees anything of the others.
/// </para>
/// <para>It adds no thread, no polling, no descriptor and no clock. Closing the loop leaves the reactor as it is.</para>
/// </remarks>
public sealed partial class LoopOnReactor : IEventLoop, IPostTarget, IOnBehalf
{
    private readonly HashSet<IDisposable> _owned = [];
    private readonly ExceptionReporter _exceptions;
    private readonly LoopSlot? _claimed;
    private TaskScheduler _defaultExecutor = ThreadExecutor.Shared;
    private int _closingThread;
    private volatile bool _closed;

    /// <summary>Puts a loop on a reactor. Any thread.</summary>
    /// <param name="reactor">The reactor. It may have other users, and other loops.</param>
    /// <param name="options">How the loop is made.</param>
    /// <exception cref="InvalidOperationException">
    /// <see cref="LoopOnReactorOptions.MakeCurrent"/> is true, and this thread has a current loop already.
    /// </exception>
    public LoopOnReactor(IReactor reactor, LoopOnReactorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        options ??= new LoopOnReactorOptions();
        CurrentLoop.ThrowIfTaken(options.MakeCurrent);
        Reactor = reactor;
        Name = options.Name;
        IsInGroup = options.IsInGroup;
        _installSignalHandlers = options.InstallSignalHandlers;
        _exceptions = new ExceptionReporter(options.Logger ?? NullLogger.Instance, Name);
        SynchronizationContext = new LoopSynchronizationContext(this);
        Scheduler = new LoopTaskScheduler(this);
        _claimed = CurrentLoop.Claim(this, options.MakeCurrent);
    }

    /// <summary>The reactor underneath. Any thread.</summary>
    public IReactor Reactor { get; }

    /// <summary>The name it was made with.</summary>
    public string Name { get; }

    /// <inheritdoc />
    public bool IsOnLoopThread
        => Reactor.IsInReactorThread || Volatile.Read(ref _closingThread) == Environment.CurrentManagedThreadId;

    /// <summary>Whether a group has it, which alone may close it.</summary>
    internal bool IsInGroup { get; }

    object? IOnBehalf.Behalf => RunningCode.Source(Volatile.Read(ref _running), Volatile.Read(ref _runningState));

    bool IPostTarget.IsOnThread => IsOnLoopThread;

    /// <summary>The clock of the reactor.</summary>
    public TimeSpan Time => Reactor.Time;

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

    /// <summary>
    /// Closes the loop: what it still owns is aborted, queued callbacks and timeouts are dropped, handlers unregistered without touching
    /// their descriptors. The reactor and its other users are not concerned. Harmless when repeated. Reactor thread, or any one thread
    /// while the reactor does not run. Does nothing to a loop of a <see cref="LoopGroup"/>, which is the group's to close.
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

        BeginClose();

        // From here on this thread is the loop: what is aborted below may assert that it is.
        Volatile.Write(ref _closingThread, Environment.CurrentManagedThreadId);
        CloseOwned();
        DrainForClose();
        CloseOwned(); // what was still on its way here, such as a listener opened on another thread
        _closed = true;
        _owned.Clear();
        DropCallbacks();
        DropTimeouts();
        DropHandlers(closeDescriptors);
        CurrentLoop.Forget(this, _claimed);
        Volatile.Write(ref _closingThread, 0);
    }

    /// <inheritdoc />
    public void ReportException(Exception exception, object? source = null)
    {
        ArgumentNullException.ThrowIfNull(exception);
        _exceptions.Report(exception, source);
    }

    /// <summary>One that nobody closes: the reactor's shutdown does.</summary>
    internal static LoopOnReactor EndingWith(IReactor reactor)
    {
        var loop = new LoopOnReactor(reactor, new LoopOnReactorOptions { Name = "loop of a reactor", MakeCurrent = false });

        // It has no log of its own, and the reactor tells of what escapes a call.
        loop.ExceptionHandler = (exception, _) => reactor.CallFromThread(
            static escaped => ((System.Runtime.ExceptionServices.ExceptionDispatchInfo)escaped!).Throw(),
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(exception));
        reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, loop.EndWithReactor);
        return loop;
    }

    void IEventLoop.Own(IDisposable resource) => _owned.Add(resource);

    void IEventLoop.Disown(IDisposable resource) => _owned.Remove(resource);

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
                _exceptions.Report(e, resource); // a bug of ours or of a sink; the rest is still to be closed
            }
        }
    }
}
