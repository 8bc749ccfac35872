using LoopBridge.Reactors;

namespace LoopBridge.Bridge;

/// <remarks>
/// Runs have numbers, and a stop names the run that it is meant for: the present one, or while there is none the next. So one that comes
/// too late, because the run ended for another reason, ends no other run, and none ends a run of the reactor that is not the loop's.
/// </remarks>
public sealed partial class LoopOnReactor
{
    private static readonly Action<object?> EndSoonAction = static loop => ((LoopOnReactor)loop!).EndSoon();

    private readonly bool _installSignalHandlers;
    private readonly Lock _life = new();
    private volatile Phase _phase;
    private int _run; // the present one, or the last
    private int _runToStop;
    private bool _endsWithReactor;

    private enum Phase
    {
        Idle,
        Running,

        /// <summary>For good.</summary>
        Closing,
    }

    // Asked in every turn, so without the lock: during a run its number stands.
    private bool MustEnd => _phase == Phase.Running && Volatile.Read(ref _runToStop) == _run;

    /// <summary>Runs the reactor on the calling thread until <see cref="Stop"/>, or the reactor's own end. May be called again.</summary>
    /// <exception cref="InvalidOperationException">
    /// The loop, or the reactor, is running already; or the reactor was shut down, which is for good.
    /// </exception>
    public void Start()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (!BeginRun())
        {
            return;
        }

        try
        {
            Reactor.Run(_installSignalHandlers);
        }
        catch (ReactorAlreadyRunningException e)
        {
            throw new InvalidOperationException($"The loop '{Name}' cannot start: its reactor is already running.", e);
        }
        finally
        {
            _phase = Phase.Idle;
        }

        if (_endsWithReactor)
        {
            Dispose();
        }
    }

    /// <inheritdoc />
    public void Stop()
    {
        lock (_life)
        {
            _runToStop = _phase == Phase.Running ? _run : _run + 1;
            if (_phase != Phase.Running)
            {
                return; // whoever runs the reactor is not concerned
            }
        }

        if (!Reactor.IsInReactorThread)
        {
            Reactor.CallFromThread(EndSoonAction, this);
        }
        else
        {
            EndSoon();
        }
    }

    // False if it was stopped before it began.
    private bool BeginRun()
    {
        lock (_life)
        {
            if (_phase != Phase.Idle)
            {
                throw new InvalidOperationException($"The loop '{Name}' is already running.");
            }

            _run++;
            if (_runToStop == _run)
            {
                return false;
            }

            _phase = Phase.Running;
            return true;
        }
    }

    private void BeginClose()
    {
        lock (_life)
        {
            _phase = _phase == Phase.Idle
                ? Phase.Closing
                : throw new InvalidOperationException($"The loop '{Name}' is running: stop it before closing it.");
        }
    }

    private void EndWithReactor()
    {
        if (_phase == Phase.Running)
        {
            _endsWithReactor = true; // the run below us on the stack is about to end
        }
        else
        {
            Dispose();
        }
    }

    // Where the loop itself does not run, the reactor refuses what comes from the wrong thread.
    private void ThrowIfOffThread()
    {
        if (!_closed && _phase != Phase.Idle && !IsOnLoopThread)
        {
            throw new InvalidOperationException($"The loop '{Name}' runs on another thread: hand the call over with AddCallback.");
        }
    }

    // At the end of the turn: the callbacks and timeouts that are its own still run.
    private void EndSoon()
    {
        if (!_isBeforePoll && MustEnd)
        {
            AskForBeforePoll();
        }
    }

    private void EndIfStopped()
    {
        if (MustEnd)
        {
            Reactor.Crash(); // returns from the run and fires nothing; it can be run again
        }
    }
}
