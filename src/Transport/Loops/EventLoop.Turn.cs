namespace LoopBridge.Loops;

public sealed partial class EventLoop
{
    private readonly List<LoopTimer> _due = [];
    private readonly TurnEndCalls _sends = new();
    private readonly TurnEndCalls _beforePoll = new();
    private long _callbacksUntil;
    private int _dueCursor;
    private long _turns;
    private TurnPhase _phase;

    private enum TurnPhase
    {
        Begin,
        Callbacks,
        Timeouts,
        Poll,
        Handlers,
    }

    /// <summary>Goes on from wherever the present turn stands.</summary>
    private void RunTurns()
    {
        while (true)
        {
            switch (_phase)
            {
                case TurnPhase.Begin:
                    BeginTurn();
                    _phase = TurnPhase.Callbacks;
                    break;
                case TurnPhase.Callbacks:
                    RunCallbacks();
                    _phase = TurnPhase.Timeouts;
                    break;
                case TurnPhase.Timeouts:
                    RunDueTimeouts();
                    _phase = TurnPhase.Poll;
                    break;
                case TurnPhase.Poll:
                    RunTurnEnd(_sends);
                    RunTurnEnd(_beforePoll);
                    if (_stopRequested)
                    {
                        _stopRequested = false;
                        _phase = TurnPhase.Begin;
                        return;
                    }

                    Poll();
                    _phase = TurnPhase.Handlers;
                    break;
                default:
                    RunHandlers();
                    RunTurnEnd(_sends);
                    _phase = TurnPhase.Begin;
                    if (_isStepping)
                    {
                        return;
                    }

                    break;
            }
        }
    }

    // What is queued or due now is this turn's; whatever comes while it runs waits for the next, with I/O polled in between.
    private void BeginTurn()
    {
        _turns++;
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

    private void RunCallbacks()
    {
        if (_callbacks.Taken >= _callbacksUntil)
        {
            return;
        }

        while (_callbacks.Taken < _callbacksUntil && _callbacks.TryDequeue(out LoopWorkItem item))
        {
            // User code continues on the loop after an await. The engine's work does not: what it resumes (HTTP) has no context of ours.
            // Set each time, because the one before may have put in another.
            SynchronizationContext.SetSynchronizationContext(item.IsUserCode ? SynchronizationContext : null);
            try
            {
                item.Run(_carrier);
            }
            catch (Exception e)
            {
                Report(e, item.Source); // user code: logged, and the loop goes on
            }

            RunGuests();
        }

        SynchronizationContext.SetSynchronizationContext(null);
    }

    private void RunDueTimeouts()
    {
        if (_due.Count == 0)
        {
            return;
        }

        while (_dueCursor < _due.Count)
        {
            SynchronizationContext.SetSynchronizationContext(SynchronizationContext);
            LoopTimer timer = _due[_dueCursor++];
            object? source = timer.Source;
            try
            {
                timer.Fire();
            }
            catch (Exception e)
            {
                Report(e, source); // user code: logged, and the loop goes on
            }

            RunGuests();
        }

        _due.Clear();
        SynchronizationContext.SetSynchronizationContext(null);
    }

    private void RunTurnEnd(TurnEndCalls calls)
    {
        calls.BeginPass();
        bool ran = false;
        while (calls.TryTake(out LoopWorkItem item))
        {
            ran = true;
            SynchronizationContext.SetSynchronizationContext(item.IsUserCode ? SynchronizationContext : null);
            try
            {
                item.Run(_carrier);
            }
            catch (Exception e)
            {
                Report(e, item.Source); // user code, or a bug of ours or of a sink: logged, and the loop goes on
            }

            RunGuests();
        }

        if (ran)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }
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

    private void RunHandlers()
    {
        while (true)
        {
            try
            {
                if (!_driver.DispatchNext())
                {
                    return;
                }
            }
            catch (Exception e)
            {
                Report(e, _driver); // the driver's cursor is past the handler that threw
            }

            RunGuests();
        }
    }

    private void RunGuests()
    {
        if (_guests.Any)
        {
            _guests.RunAll(ref _threadId);
        }
    }
}
