namespace LoopBridge.Reactors;

/// <summary>
/// One event of a reactor: three phases of one-shot triggers, with a wait between the first and the second. Reactor thread.
/// </summary>
/// <remarks>
/// A firing has a number. Whatever comes back late (a task, the rest of a phase below us on the stack) carries the number of its firing
/// and does nothing once that is over, so that a reactor which crashed in mid-event can start anew.
/// </remarks>
internal sealed class SystemEvent(ReactorBase reactor, string name, Action? whenDuring = null)
{
    private readonly LinkedList<SystemEventTrigger>[] _phases = [new(), new(), new()];
    private int _number;
    private int _pending;
    private bool _firing;
    private bool _inBefore;
    private bool _runningBefore;
    private bool _mayWait = true;

    internal ReactorBase Reactor => reactor;

    internal SystemEventTrigger Add(SystemEventPhase phase, Delegate callback)
    {
        ArgumentOutOfRangeException.ThrowIfNegative((int)phase, nameof(phase));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)phase, (int)SystemEventPhase.After, nameof(phase));
        var trigger = new SystemEventTrigger(this, phase, callback);
        _phases[(int)phase].AddLast(trigger.Node);
        return trigger;
    }

    internal void Remove(SystemEventTrigger trigger)
    {
        if (trigger.Node.List is { } phase)
        {
            phase.Remove(trigger.Node);
        }
        else if (_inBefore && trigger.Phase == SystemEventPhase.Before && trigger.Firing == _number)
        {
            reactor.Logger.TriggerRemovedTooLate(name); // R-CORE-26
        }
        else
        {
            throw new ArgumentException($"The trigger of '{name}' is not registered: it ran or was removed before.", nameof(trigger));
        }
    }

    internal void Fire()
    {
        if (_firing)
        {
            return;
        }

        _firing = true;
        _number++;
        _inBefore = true;
        RunBefore();
    }

    /// <summary>Ends the present firing where it stands. Triggers that have not run stay for the next.</summary>
    internal void Abandon()
    {
        _number++;
        _firing = false;
        _inBefore = false;
        _pending = 0;
    }

    /// <summary>From now on tasks are not waited for, neither those of the present firing.</summary>
    internal void Hasten()
    {
        _mayWait = false;
        if (_inBefore && !_runningBefore)
        {
            RunRest();
        }
    }

    private void RunBefore()
    {
        int number = _number;
        _runningBefore = true;
        while (_number == number && TakeNext(SystemEventPhase.Before) is { } trigger)
        {
            if (Invoke(trigger) is { } task)
            {
                _pending++;
                Observe(task, trigger, number);
            }
        }

        _runningBefore = false;
        if (_number == number && (_pending == 0 || !_mayWait))
        {
            RunRest();
        }
    }

    private void OnTaskDone(int number)
    {
        if (_number != number || !_inBefore || --_pending > 0 || _runningBefore)
        {
            return;
        }

        // A trigger that was added while the phase waited still belongs to it (R-CORE-27).
        RunBefore();
    }

    private void RunRest()
    {
        int number = _number;
        _inBefore = false;
        _pending = 0;
        whenDuring?.Invoke();
        for (SystemEventPhase phase = SystemEventPhase.During; phase <= SystemEventPhase.After; phase++)
        {
            while (_number == number && TakeNext(phase) is { } trigger)
            {
                if (Invoke(trigger) is { } task)
                {
                    Observe(task, trigger, number);
                }
            }
        }

        if (_number == number)
        {
            _firing = false;
        }
    }

    private SystemEventTrigger? TakeNext(SystemEventPhase phase)
    {
        LinkedList<SystemEventTrigger> triggers = _phases[(int)phase];
        SystemEventTrigger? first = triggers.First?.Value;
        if (first is not null)
        {
            triggers.RemoveFirst();
            first.Firing = _number;
        }

        return first;
    }

    /// <summary>The task to wait for, or null if there is nothing to wait for or to hear from.</summary>
    private Task? Invoke(SystemEventTrigger trigger)
    {
        try
        {
            return trigger.Invoke() is { IsCompletedSuccessfully: false } task ? task : null;
        }
        catch (Exception e)
        {
            reactor.Report(e, trigger.Source); // user code: the other triggers run all the same (R-CORE-22)
            return null;
        }
    }

    private void Observe(Task task, SystemEventTrigger trigger, int number) => task.ContinueWith(
        static (done, state) =>
        {
            (SystemEvent owner, SystemEventTrigger source, int firing) = ((SystemEvent, SystemEventTrigger, int))state!;
            if (owner.Reactor.IsInReactorThread)
            {
                owner.OnTaskDone(done, source, firing); // the next phase begins inside the completion of the last task (R-CORE-20)
            }
            else
            {
                owner.Reactor.Post(_ => owner.OnTaskDone(done, source, firing), null);
            }
        },
        (this, trigger, number),
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);

    private void OnTaskDone(Task task, SystemEventTrigger trigger, int number)
    {
        if (!task.IsCompletedSuccessfully)
        {
            // Swallowed for the sequence, but not from sight (R-CORE-21).
            reactor.Report(task.Exception?.InnerException ?? new TaskCanceledException(task), trigger.Source);
        }

        OnTaskDone(number);
    }
}
