using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Bridge;

/// <summary>
/// A reactor on any loop, through the loop's public interface alone. Descends from Tornado's <c>TornadoReactor</c>.
/// </summary>
/// <remarks>
/// <para>
/// Whoever runs the loop runs the reactor: its startup fires in the loop's next turn. While the loop is stopped, the reactor is
/// suspended; it resumes with the loop. <see cref="ReactorBase.Stop"/>, or firing the shutdown by hand, shuts the reactor down and leaves
/// a loop alone that others run, and with it the delayed and cross-thread calls, which go on until <see cref="Dispose"/>.
/// <see cref="IReactorCore.Run(bool)"/> runs the loop, for programs that have nothing else on it.
/// </para>
/// <para>It adds no thread, no polling and no descriptor of its own. Closing the loop disposes of the reactor.</para>
/// </remarks>
public partial class ReactorOnLoop : ReactorBase, IDisposable
{
    private static readonly Action<object?> StartAction = static reactor => ((ReactorOnLoop)reactor!).Start();
    private static readonly Action<object?> FireAction = static call => ((DelayedCall)call!).Fire();

    private readonly bool _hasLogger;
    private readonly LoopEnd _loopEnd;
    private bool _endsWithLoop;
    private ReactorIteration? _iteration;
    private int _runThread;
    private volatile bool _startDue;

    /// <summary>Puts a reactor on a loop. Any thread.</summary>
    /// <param name="loop">The loop. It may have other users, and other reactors.</param>
    /// <param name="logger">
    /// Where exceptions go that escape callbacks, if the loop has no <see cref="IEventLoop.ExceptionHandler"/>. Defaults to what the loop
    /// does with its own.
    /// </param>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public ReactorOnLoop(IEventLoop loop, ILogger? logger = null) : base(logger)
    {
        ArgumentNullException.ThrowIfNull(loop);
        Loop = loop;
        _hasLogger = logger is not null;
        _loopEnd = new LoopEnd(this);
        ObjectDisposedException.ThrowIf(!RequestStart(), loop);
    }

    /// <summary>The loop underneath. Any thread.</summary>
    public IEventLoop Loop { get; }

    /// <inheritdoc />
    public sealed override TimeSpan Time => Loop.Time;

    /// <inheritdoc />
    public sealed override bool IsInReactorThread => Loop.IsOnLoopThread;

    /// <summary>Whether somebody runs the loop already, as far as this thread can tell.</summary>
    private protected virtual bool IsLoopRunning => Loop.IsOnLoopThread;

    /// <summary>Whether that is what the loop's start says when another thread runs it.</summary>
    private protected virtual bool IsRefusal(InvalidOperationException exception)
        => exception is not (ObjectDisposedException or ReactorNotRestartableException);

    private protected sealed override void RunCore()
    {
        ThrowIfNotRestartable();
        RunLoop(null);
    }

    /// <inheritdoc />
    public sealed override void Iterate(TimeSpan wait)
    {
        ThrowIfBadWait(wait);
        ThrowIfNotRestartable();
        RunLoop(new ReactorIteration(Loop, wait));
    }

    /// <summary>
    /// Fires the shutdown, if it has not been, without waiting for tasks of its triggers; disconnects what is still registered, cancels
    /// the delayed calls and drops the cross-thread calls. The loop goes on. Harmless when repeated. Reactor thread, or any one thread
    /// while the loop does not run. Does nothing to a reactor that a DI container has handed out, which ends with the host: a scope
    /// disposes of all that it hands out, and must not end it for the others.
    /// </summary>
    public virtual void Dispose()
    {
        if (!IsLent)
        {
            ShutDown();
            GC.SuppressFinalize(this); // there is none here; whoever derives may have one
        }
    }

    /// <summary>Whether a container hands it out, and the host shuts it down.</summary>
    internal bool IsLent { get; set; }

    /// <summary>As <see cref="Dispose"/>, for the host, which may.</summary>
    internal override void ShutDown()
    {
        Close();
        Loop.Disown(_loopEnd);
    }

    internal override bool Post(Action<object?> callback, object? state) => Loop.AddCallback(callback, state);

    internal override void OnServed() => _iteration?.OnServed();

    internal override LoopTimeout Arm(DelayedCall call)
    {
        LoopTimeout timeout = Loop.CallAt(call.Time, FireAction, call);
        EndWithLoop();
        return timeout;
    }

    internal override void Disarm(LoopTimeout timeout) => Loop.RemoveTimeout(timeout);

    // The handlers of a loop are told in each turn, which suits every trigger a reactor asks for.
    internal override void Watch(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, Action<SafeHandle, IoEvents> handler)
    {
        Loop.AddHandler(descriptor, interest, handler);
        EndWithLoop();
    }

    internal override void Rewatch(SafeHandle descriptor, IoEvents interest) => Loop.UpdateHandler(descriptor, interest);

    internal override void Unwatch(SafeHandle descriptor) => Loop.RemoveHandler(descriptor);

    internal override void Report(Exception exception, object? source)
    {
        if (Loop.ExceptionHandler is { } handler)
        {
            try
            {
                handler(exception, source);
                return;
            }
            catch (Exception e)
            {
                // The handler is user code too: what it was told must not be lost with it.
                Logger.ReactorExceptionHandlerFailed(e);
            }
        }

        if (_hasLogger)
        {
            Logger.ReactorCallbackFailed(exception, Describe(source));
            return;
        }

        if (Loop.IsOnLoopThread)
        {
            Loop.ReportException(exception, source); // now: the present turn may be the last one
            return;
        }

        Loop.AddCallback(static escaped => ((ExceptionDispatchInfo)escaped!).Throw(), ExceptionDispatchInfo.Capture(exception));
    }

    private protected override void EndRun()
    {
        // A loop that others run is theirs to stop (R-CORE-33).
        if (Volatile.Read(ref _runThread) == Environment.CurrentManagedThreadId)
        {
            _startDue = false;
            Loop.Stop();
        }
    }

    // With an iteration, for one turn.
    private void RunLoop(ReactorIteration? iteration)
    {
        if (IsLoopRunning || Interlocked.CompareExchange(ref _runThread, Environment.CurrentManagedThreadId, 0) != 0)
        {
            throw new ReactorAlreadyRunningException();
        }

        bool isRequested = IsIdle && !_startDue;
        try
        {
            if (isRequested)
            {
                RequestStart();
            }

            iteration?.Begin();
            _iteration = iteration;
            Loop.Start();
        }
        catch (InvalidOperationException e) when (IsRefusal(e))
        {
            // No user's exception comes out of a loop: another thread runs it (R-CORE-11).
            _startDue &= !isRequested;
            throw new ReactorAlreadyRunningException(e);
        }
        finally
        {
            _iteration = null;
            Volatile.Write(ref _runThread, 0);
            iteration?.End();
        }
    }

    // The ambient context of whoever happened to ask first for the reactor is no business of its triggers.
    private bool RequestStart()
    {
        _startDue = true;
        AsyncFlowControl? suppressed = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        try
        {
            return Loop.AddCallback(StartAction, this);
        }
        finally
        {
            suppressed?.Undo();
        }
    }

    private void Start()
    {
        EndWithLoop();

        // A crash takes an unserved request back, and the next run makes its own; whichever of the two comes first here starts it.
        if (_startDue)
        {
            _startDue = false;
            Begin();
        }
    }

    // From the first time that it has something on the loop: whoever made it may have been on any thread.
    private void EndWithLoop()
    {
        if (!_endsWithLoop && !IsDisposed)
        {
            _endsWithLoop = true;
            Loop.Own(_loopEnd);
        }
    }

    /// <summary>The loop is closed (R-CORE-32).</summary>
    private sealed class LoopEnd(ReactorOnLoop reactor) : IDisposable
    {
        public void Dispose() => reactor.ShutDown();
    }
}
