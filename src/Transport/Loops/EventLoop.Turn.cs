namespace LoopBridge.Loops;

public sealed partial class EventLoop
{
    private readonly List<LoopTimer> _due = [];
    private readonly TurnEndCalls _sends = new();
    private readonly TurnEndCalls _beforePoll = new();
    private long _callbacksUntil;
    private int _dueCursor;
    private TurnPhase _phase;

    private enum TurnPhase
    {
        Begin,
        Callbacks,
        Timeouts,
        Sends,
        BeforePoll,
        Poll,
        Handlers,
        HandlersSends,
    }

    /// <summary>
    /// Goes on from wherever the present turn stands. False: a guest has cost this thread the loop, and nothing here is its any more.
    /// </summary>
    private bool RunTurns()
    {
        // First what those before have to say: it has waited long enough for the one that overstayed. Then the others that were invited.
        _sends.BeginPass();
        if (!RunTurnEnd(_sends) || !RunGuests())
        {
            return false;
        }

        while (true)
        {
            switch (_phase)
            {
                case TurnPhase.Begin:
                    BeginTurn();
                    _phase = TurnPhase.Callbacks;
                    break;
                case TurnPhase.Callbacks:
                    if (!RunCallbacks())
                    {
                        return false;
                    }

                    _phase = TurnPhase.Timeouts;
                    break;
                case TurnPhase.Timeouts:
                    if (!RunDueTimeouts())
                    {
                        return false;
                    }

                    BeginTurnEnd(_sends, TurnPhase.Sends);
                    break;
                case TurnPhase.Sends:
                    if (!RunTurnEnd(_sends))
                    {
                        return false;
                    }

                    BeginTurnEnd(_beforePoll, TurnPhase.BeforePoll);
                    break;
                case TurnPhase.BeforePoll:
                    if (!RunTurnEnd(_beforePoll))
                    {
                        return false;
                    }

                    Activity.Rest();
                    if (_stopRequested)
                    {
                        _stopRequested = false;
                        _phase = TurnPhase.Begin;
                        return true;
                    }

                    _phase = TurnPhase.Poll;
                    break;
                case TurnPhase.Poll:
                    Poll();
                    _phase = TurnPhase.Handlers;
                    break;
                case TurnPhase.Handlers:
                    if (!RunHandlers())
                    {
                        return false;
                    }

                    BeginTurnEnd(_sends, TurnPhase.HandlersSends);
                    break;
                default:
                    if (!RunTurnEnd(_sends))
                    {
                        return false;
                    }

                    _phase = TurnPhase.Begin;
                    if (_isStepping)
                    {
                        Activity.Rest();
                        return true;
                    }

                    break;
            }
        }
    }

    // What is queued or due now is this turn's; whatever comes while it runs waits for the next, with I/O polled in between.
    private void BeginTurn()
    {
        Activity.BeginTurn();
        _callbacksUntil = _callbacks.Drawn;
        _dueCursor = 0;
        _due.Clear();
        if (_timers.Count > 0)
        {
            long now = Time.Ticks;
            while (_timers.TakeDue(now) is { } timer)
            {
                _due.Add(timer);
            }
        }
    }

    private bool RunCallbacks()
    {
        if (_callbacks.Taken >= _callbacksUntil)
        {
            return true;
        }

        while (_callbacks.Taken < _callbacksUntil && _callbacks.TryDequeue(out LoopWorkItem item))
        {
            // User code continues on the loop after an await. The engine's work does not: what it resumes (HTTP) has no context of ours.
            // Set each time, because the one before may have put in another.
            SynchronizationContext.SetSynchronizationContext(item.IsUserCode ? SynchronizationContext : null);
            Activity.Begin(item.Callback, item.State);
            try
            {
                item.Run(_carrier);
            }
            catch (Exception e)
            {
                Report(e, item.Source); // user code: logged, and the loop goes on
            }

            if (!RunGuests())
            {
                return false;
            }
        }

        SynchronizationContext.SetSynchronizationContext(null);
        return true;
    }

    private bool RunDueTimeouts()
    {
        if (_due.Count == 0)
        {
            return true;
        }

        while (_dueCursor < _due.Count)
        {
            SynchronizationContext.SetSynchronizationContext(SynchronizationContext);
            LoopTimer timer = _due[_dueCursor++];
            object? source = timer.Source;
            (object? callback, object? state) = timer.Called;
            Activity.Begin(callback ?? timer, state);
            try
            {
                timer.Fire();
            }
            catch (Exception e)
            {
                Report(e, source); // user code: logged, and the loop goes on
            }

            if (!RunGuests())
            {
                return false;
            }
        }

        _due.Clear();
        SynchronizationContext.SetSynchronizationContext(null);
        return true;
    }

    private void BeginTurnEnd(TurnEndCalls calls, TurnPhase phase)
    {
        calls.BeginPass();
        _phase = phase;
    }

    private bool RunTurnEnd(TurnEndCalls calls)
    {
        bool ran = false;
        while (calls.TryTake(out LoopWorkItem item))
        {
            ran = true;
            SynchronizationContext.SetSynchronizationContext(item.IsUserCode ? SynchronizationContext : null);
            Activity.Begin(item.Callback, item.State);
            try
            {
                item.Run(_carrier);
            }
            catch (Exception e)
            {
                Report(e, item.Source); // user code, or a bug of ours or of a sink: logged, and the loop goes on
            }

            if (!RunGuests())
            {
                return false;
            }
        }

        if (ran)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }

        return true;
    }

    private void Poll()
    {
        if (!_callbacks.IsEmpty || !_sends.IsEmpty || !_beforePoll.IsEmpty)
        {
            _driver.Wait(TimeSpan.Zero);
            return;
        }

        TimeSpan timeout = UntilNextTimeout();

        _sleep.Announce();
        _driver.Wait(_callbacks.IsEmpty && !_stopRequested ? timeout : TimeSpan.Zero);
        _sleep.End();
    }

    private TimeSpan UntilNextTimeout()
    {
        if (_timers.NextDeadline is not { } deadline)
        {
            return Timeout.InfiniteTimeSpan;
        }

        long now = Time.Ticks;
        return new TimeSpan(deadline <= now ? 0 : deadline - now);
    }

    private bool RunHandlers()
    {
        while (true)
        {
            Activity.Begin(_driver);
            try
            {
                if (!_driver.DispatchNext())
                {
                    return true;
                }
            }
            catch (Exception e)
            {
                Report(e, _driver); // the driver's cursor is past the handler that threw
            }

            if (!RunGuests())
            {
                return false;
            }
        }
    }

    private bool RunGuests() => !_guests.Any || _guests.RunAll(ref _threadId);
}
