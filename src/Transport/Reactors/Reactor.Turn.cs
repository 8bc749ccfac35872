using LoopBridge.Loops;

namespace LoopBridge.Reactors;

/// <remarks>
/// Everything a turn knows stands in fields of the reactor (and of the driver's cursor), nothing in locals of the thread, so that another
/// thread can go on in the middle of a turn.
/// </remarks>
public sealed partial class Reactor
{
    private const int MostMillisecondsBetweenFailures = 1000;

    private readonly CallbackQueue _calls = new();
    private readonly LoopWorkItem.Carrier _carrier = new();
    private readonly TimerQueue _timers = new();
    private readonly LoopGuests _guests;
    private readonly List<LoopTimer> _due = [];
    private readonly TurnEndCalls _beforePoll = new();
    private long _callsUntil;
    private int _dueCursor;
    private TurnPhase _phase;
    private TimeSpan _wait;
    private bool _once;
    private bool _mayWait;
    private int _failures;

    private enum TurnPhase
    {
        Begin,
        CrossThreadCalls,
        DelayedCalls,
        BeforePoll,
        Poll,
        Descriptors,
    }

    private enum TurnEnd
    {
        /// <summary>Another one follows.</summary>
        Next,

        /// <summary>It was the last.</summary>
        Last,

        /// <summary>A guest has cost this thread the reactor, and nothing here is its any more.</summary>
        Overtaken,
    }

    /// <summary>Goes on from wherever the present turn stands. False: overtaken.</summary>
    private bool RunTurns()
    {
        while (true)
        {
            try
            {
                TurnEnd end = RunTurn();
                if (end != TurnEnd.Next)
                {
                    return end == TurnEnd.Last;
                }

                _failures = 0;
            }
            catch (Exception e)
            {
                // Of the driver or a bug: every call of the user's has a guard of its own. The next turn may fare better (R-CORE-29).
                _phase = TurnPhase.Begin;
                Activity.Rest();
                Report(e, _driver);
                if (_once || _ended)
                {
                    return true;
                }

                // Nothing can be waited for in what is broken, and it must not keep a core and fill the log.
                Thread.Sleep(Math.Min(1 << _failures, MostMillisecondsBetweenFailures));
                _failures = Math.Min(_failures + 1, 10);
            }
        }
    }

    private TurnEnd RunTurn()
    {
        // Of those that the lost one was invited with.
        if (!RunGuests())
        {
            return TurnEnd.Overtaken;
        }

        while (true)
        {
            switch (_phase)
            {
                case TurnPhase.Begin:
                    BeginTurn();
                    _phase = TurnPhase.CrossThreadCalls;
                    break;
                case TurnPhase.CrossThreadCalls:
                    if (!RunCrossThreadCalls())
                    {
                        return TurnEnd.Overtaken;
                    }

                    _phase = TurnPhase.DelayedCalls;
                    break;
                case TurnPhase.DelayedCalls:
                    if (!RunDelayedCalls())
                    {
                        return TurnEnd.Overtaken;
                    }

                    _beforePoll.BeginPass();
                    _phase = TurnPhase.BeforePoll;
                    break;
                case TurnPhase.BeforePoll:
                    if (!RunBeforePoll())
                    {
                        return TurnEnd.Overtaken;
                    }

                    Activity.Rest();
                    if (_ended)
                    {
                        _phase = TurnPhase.Begin;
                        return TurnEnd.Last;
                    }

                    _phase = TurnPhase.Poll;
                    break;
                case TurnPhase.Poll:
                    Poll();
                    _phase = TurnPhase.Descriptors;
                    break;
                default:
                    if (!RunDescriptors())
                    {
                        return TurnEnd.Overtaken;
                    }

                    _phase = TurnPhase.Begin;
                    if (_once)
                    {
                        Activity.Rest();
                        return TurnEnd.Last;
                    }

                    return TurnEnd.Next;
            }
        }
    }

    // What is queued or due now is this turn's; whatever comes while it runs waits for the next, with I/O polled in between.
    private void BeginTurn()
    {
        Activity.BeginTurn();
        _callsUntil = _calls.Drawn;
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

        // One turn by itself waits only if it had nothing to do; in a run the next one follows anyway.
        _mayWait = !_once || (_due.Count == 0 && _calls.IsEmpty && _beforePoll.IsEmpty);
    }

    private bool RunCrossThreadCalls()
    {
        while (_calls.Taken < _callsUntil && _calls.TryDequeue(out LoopWorkItem call))
        {
            RunCall(call);
            if (!RunGuests())
            {
                return false;
            }
        }

        return true;
    }

    private bool RunDelayedCalls()
    {
        while (_dueCursor < _due.Count)
        {
            SynchronizationContext.SetSynchronizationContext(_context);
            LoopTimer timer = _due[_dueCursor++];
            (object? callback, object? state) = timer.Called;
            Activity.Begin(callback ?? timer, state);
            timer.Fire(); // has its guard
            if (!RunGuests())
            {
                return false;
            }
        }

        _due.Clear();
        return true;
    }

    private bool RunBeforePoll()
    {
        while (_beforePoll.TryTake(out LoopWorkItem call))
        {
            RunCall(call);
            if (!RunGuests())
            {
                return false;
            }
        }

        return true;
    }

    private bool RunDescriptors()
    {
        while (true)
        {
            Activity.Begin(_driver);
            if (!_driver.DispatchNext())
            {
                return true;
            }

            if (!RunGuests())
            {
                return false;
            }
        }
    }

    private bool RunGuests() => !_guests.Any || _guests.RunAll(ref _threadId);

    private void RunCall(in LoopWorkItem call)
    {
        if (IsDisposed)
        {
            call.Drop(); // the disposal overtook it (R-THR-16)
            return;
        }

        // Set each time, because the one before may have put in another.
        SynchronizationContext.SetSynchronizationContext(_context);
        Activity.Begin(call.Callback, call.State);
        try
        {
            call.Run(_carrier);
        }
        catch (Exception e)
        {
            Report(e, call.Source); // user code: the rest of the queue runs (R-THR-08)
        }
    }

    private void Poll()
    {
        if (!_mayWait || !_calls.IsEmpty || !_beforePoll.IsEmpty)
        {
            _driver.Wait(TimeSpan.Zero);
            return;
        }

        TimeSpan wait = LongestWait();
        _sleep.Announce();
        _driver.Wait(_calls.IsEmpty ? wait : TimeSpan.Zero);
        _sleep.End();
    }

    // Until the next delayed call, but no longer than whoever asked for one turn wants to wait. Negative: without end.
    private TimeSpan LongestWait()
    {
        if (_timers.NextDeadline is not { } deadline)
        {
            return _wait;
        }

        long now = Time.Ticks;
        var untilNext = new TimeSpan(deadline <= now ? 0 : deadline - now);
        return _wait < TimeSpan.Zero || untilNext < _wait ? untilNext : _wait;
    }
}
