namespace LoopBridge.Reactors;

public abstract partial class ReactorBase
{
    private const string ShutDownMessage = "The reactor was shut down.";

    private readonly Dictionary<string, SystemEvent> _events;
    private readonly SystemEvent _startup;
    private readonly SystemEvent _shutdown;
    private volatile bool _running;
    private bool _closing;
    private Life _life;

    private enum Life
    {
        /// <summary>Not run yet, or crashed.</summary>
        Idle,

        /// <summary>The startup fires, or waits for a task of its first phase.</summary>
        Starting,

        Running,

        /// <summary>A stop was accepted; the shutdown is to come, or fires.</summary>
        Stopping,

        /// <summary>For good.</summary>
        Stopped,
    }

    /// <inheritdoc />
    public bool Running => _running;

    private protected bool IsIdle => _life == Life.Idle;

    /// <inheritdoc />
    public abstract void Iterate(TimeSpan wait);

    /// <inheritdoc />
    public void Stop()
    {
        if (_life is not (Life.Starting or Life.Running))
        {
            throw new ReactorNotRunningException();
        }

        // Not before it is accepted below: what is called off the reactor's thread changes nothing.
        AddBeforePoll(static reactor => ((ReactorBase)reactor!).FireShutdown(), this);
        _life = Life.Stopping;
    }

    /// <inheritdoc />
    public void Crash()
    {
        _life = _life is Life.Stopping or Life.Stopped ? Life.Stopped : Life.Idle;
        _running = false;
        _startup.Abandon();
        _shutdown.Abandon();
        _workers.Close();
        EndRun();
    }

    /// <inheritdoc />
    public SystemEventTrigger? CallWhenRunning(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        if (!_running)
        {
            return AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Startup, callback);
        }

        callback();
        return null;
    }

    /// <inheritdoc />
    public void CallBeforePoll(Action<object?> call, object? state)
    {
        ArgumentNullException.ThrowIfNull(call);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        AddBeforePoll(call, state);
    }

    /// <inheritdoc />
    public SystemEventTrigger AddSystemEventTrigger(SystemEventPhase phase, string eventName, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddTrigger(phase, eventName, callback);
    }

    /// <inheritdoc />
    public SystemEventTrigger AddSystemEventTrigger(SystemEventPhase phase, string eventName, Func<Task?> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return AddTrigger(phase, eventName, callback);
    }

    /// <inheritdoc />
    public void RemoveSystemEventTrigger(SystemEventTrigger trigger)
    {
        ArgumentNullException.ThrowIfNull(trigger);
        if (trigger.Owner.Reactor != this)
        {
            throw new ArgumentException("The trigger belongs to another reactor.", nameof(trigger));
        }

        trigger.Owner.Remove(trigger);
    }

    /// <inheritdoc />
    public void FireSystemEvent(string eventName)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        if (_events.TryGetValue(eventName, out SystemEvent? systemEvent))
        {
            systemEvent.Fire();
        }
    }

    /// <summary>Begins a life, once. For the first turn of what it stands on.</summary>
    private protected void Begin()
    {
        if (_life == Life.Idle && !_closing)
        {
            _life = Life.Starting;
            _startup.Fire();
        }
    }

    private protected static void ThrowIfBadWait(TimeSpan wait)
    {
        if (wait != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        }
    }

    /// <summary>For the head of <see cref="IReactorCore.Run(bool)"/>.</summary>
    private protected void ThrowIfNotRestartable()
    {
        ObjectDisposedException.ThrowIf(_closing, this);
        if (_life is Life.Stopping or Life.Stopped)
        {
            throw new ReactorNotRestartableException();
        }
    }

    /// <summary>
    /// The end of everything: the shutdown if it has not been, waiting for no task, and then nothing of anybody's is kept.
    /// </summary>
    private protected void Close()
    {
        if (_closing)
        {
            return;
        }

        _closing = true;
        FireShutdownNow();
        IsDisposed = true;
        _startup.Abandon();
        DisconnectAll(); // what never ran, or came after the shutdown
        DelayedCalls.DropAll();
        EndThreads();
        _events.Clear();
    }

    /// <summary>The shutdown, if it has not been, waiting for no task.</summary>
    private protected void FireShutdownNow()
    {
        if (_life is Life.Starting or Life.Running or Life.Stopping)
        {
            _life = Life.Stopping;
            _shutdown.Fire();
            _shutdown.Hasten();
        }
    }

    private SystemEventTrigger AddTrigger(SystemEventPhase phase, string eventName, Delegate callback)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (!_events.TryGetValue(eventName, out SystemEvent? systemEvent))
        {
            systemEvent = new SystemEvent(this, eventName);
            _events.Add(eventName, systemEvent);
        }

        return systemEvent.Add(phase, callback);
    }

    private void FireShutdown()
    {
        // It may have been fired by hand, or the reactor crashed or was disposed, since it was asked for.
        if (_life == Life.Stopping)
        {
            _shutdown.Fire();
        }
    }

    // The first of the startup's second phase, ahead of anybody's trigger (R-CORE-04).
    private void OnStarted()
    {
        if (_life is Life.Idle or Life.Starting)
        {
            _life = Life.Running;
        }

        if (_life is Life.Running or Life.Stopping)
        {
            _running = true;
            Signals.Install();
            _workers.Open();
        }
    }

    // The first of the shutdown's second phase, in the order of R-CORE-05. Fired by hand on a reactor that never ran, it leaves it ready
    // to.
    private void OnShutDown()
    {
        _running = false;
        _startup.Abandon();
        bool hasRun = _life != Life.Idle;
        _life = hasRun ? Life.Stopped : Life.Idle;
        EndRun();
        DisconnectAll();
        if (hasRun)
        {
            EndThreads();
        }
        else
        {
            _workers.Discard();
        }
    }

    private void DisconnectAll()
    {
        Served.DisconnectAll(new ConnectionLostException(ShutDownMessage)); // before the watches that some of them have here
        _descriptors.DisconnectAll(new ConnectionLostException(ShutDownMessage));
        _watchers.DisconnectAll(new ConnectionLostException(ShutDownMessage));
    }
}
