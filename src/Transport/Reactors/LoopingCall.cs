using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

/// <summary>
/// Calls a function again and again, at start + k · interval. Descends from Twisted's <c>LoopingCall</c>.
/// </summary>
/// <remarks>
/// <para>Runs never overlap: the next one waits for the Deferred or Task that the function returned. A run that takes longer than the
/// interval, or a late reactor, makes it skip places; they are never made up for. <see cref="WithCount(IReactorTime, Action{long})"/>
/// tells the function how many.</para>
/// <para>The first failure ends it: see <see cref="Start"/>. For one that goes on, see <see cref="Loops.PeriodicCallback"/>.</para>
/// <para>Belongs to the thread of its reactor.</para>
/// </remarks>
/// <example>
/// <code>
/// var beat = new LoopingCall(reactor, () =&gt; transport.Write(ping));
/// beat.Start(TimeSpan.FromSeconds(30)).AddErrback(error =&gt; Report(error));
/// </code>
/// </example>
public sealed class LoopingCall
{
    private readonly IReactorTime _clock;
    private readonly Func<long, Deferred?> _function;
    private Deferred<LoopingCall>? _outcome;
    private IDelayedCall? _next;
    private TimeSpan _start;
    private TimeSpan _interval;
    private TimeSpan _counted;
    private bool _isInRun;

    /// <summary>Makes one that does not run yet.</summary>
    /// <param name="clock">The reactor, or another clock.</param>
    /// <param name="function">What to call.</param>
    public LoopingCall(IReactorTime clock, Action function) : this(clock, Checked(function, () => function()))
    {
    }

    /// <inheritdoc cref="LoopingCall(IReactorTime, Action)"/>
    /// <param name="clock">The reactor, or another clock.</param>
    /// <param name="function">What to call. The next run waits for the Deferred, if it returns one.</param>
    public LoopingCall(IReactorTime clock, Func<Deferred?> function) : this(clock, Checked(function, _ => function()))
    {
    }

    /// <inheritdoc cref="LoopingCall(IReactorTime, Action)"/>
    /// <param name="clock">The reactor, or another clock.</param>
    /// <param name="function">What to call. The next run waits for the Task.</param>
    public LoopingCall(IReactorTime clock, Func<Task> function) : this(clock, Checked(function, _ => Deferred.FromTask(function())))
    {
    }

    private LoopingCall(IReactorTime clock, Func<long, Deferred?> function)
    {
        ArgumentNullException.ThrowIfNull(clock);
        _clock = clock;
        _function = function;
    }

    /// <summary>Whether it was started and not stopped since.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>
    /// The time from one place to the next. A change counts when the next run is scheduled: after the present one, or with
    /// <see cref="Reset"/>. Zero means one run in each turn.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public TimeSpan Interval
    {
        get => _interval;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            _interval = value;
        }
    }

    private LoopingCallGrid Grid => new(_start, _interval);

    /// <summary>Makes one whose function is told how many places there were since its last run: one, if none was skipped.</summary>
    /// <param name="clock">The reactor, or another clock.</param>
    /// <param name="function">What to call. With an interval of zero it is always told one.</param>
    /// <returns>The looping call, which does not run yet.</returns>
    public static LoopingCall WithCount(IReactorTime clock, Action<long> function) => new(clock, Checked(function, count =>
    {
        function(count);
        return null;
    }));

    /// <inheritdoc cref="WithCount(IReactorTime, Action{long})"/>
    public static LoopingCall WithCount(IReactorTime clock, Func<long, Deferred?> function) => new(clock, Checked(function, function));

    /// <inheritdoc cref="WithCount(IReactorTime, Action{long})"/>
    public static LoopingCall WithCount(IReactorTime clock, Func<long, Task> function)
        => new(clock, Checked(function, count => Deferred.FromTask(function(count))));

    /// <summary>Begins.</summary>
    /// <param name="interval">The time from one place to the next. Zero means one run in each turn.</param>
    /// <param name="now">Whether the first run is inside this call; otherwise it is one interval later. Defaults to true.</param>
    /// <returns>
    /// Fires with this looping call when it was stopped and its last run has ended. Fails with the first failure, which ends it.
    /// Cancelling it stops the looping call.
    /// </returns>
    /// <exception cref="InvalidOperationException">It runs already, or was stopped and its last run has not ended.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="interval"/> is negative.</exception>
    public Deferred<LoopingCall> Start(TimeSpan interval, bool now = true)
    {
        if (IsRunning || _isInRun)
        {
            throw new InvalidOperationException("The looping call runs already, or its last run has not ended.");
        }

        Interval = interval;
        _start = _clock.Time;

        // A run now is the first place itself; later ones count from it.
        _counted = now ? _start - new TimeSpan(1) : _start;
        var outcome = new Deferred<LoopingCall>(_ => Halt());
        _outcome = outcome;
        IsRunning = true;
        if (now)
        {
            Run();
        }
        else
        {
            ScheduleNext();
        }

        return outcome;
    }

    /// <summary>
    /// Ends it: no run begins after this. Its Deferred fires, inside this call or, in the middle of a run, when that has ended.
    /// </summary>
    /// <exception cref="InvalidOperationException">It does not run.</exception>
    public void Stop()
    {
        ThrowIfIdle();
        Halt();
        if (!_isInRun)
        {
            End(null);
        }
    }

    /// <summary>
    /// Skips the pending run, and counts a full interval from now: the places lie from here on. In the middle of a run it does nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">It does not run.</exception>
    public void Reset()
    {
        ThrowIfIdle();
        if (_next is { Active: true } next)
        {
            next.Cancel();
            _start = _clock.Time;
            _counted = _start;
            ScheduleNext();
        }
    }

    private static Func<long, Deferred?> Checked(Delegate function, Func<long, Deferred?> call)
    {
        ArgumentNullException.ThrowIfNull(function);
        return call;
    }

    private static Func<long, Deferred?> Checked(Action function, Action call) => Checked(function, _ =>
    {
        call();
        return null;
    });

    private void ThrowIfIdle()
    {
        if (!IsRunning)
        {
            throw new InvalidOperationException("The looping call does not run.");
        }
    }

    private void Halt()
    {
        IsRunning = false;
        if (_next is { Active: true } next)
        {
            next.Cancel();
        }

        _next = null;
    }

    private void ScheduleNext()
        => _next = _clock.CallLater(Grid.DelayAfter(_clock.Time), static self => ((LoopingCall)self!).Run(), this);

    private void Run()
    {
        _next = null;
        TimeSpan now = _clock.Time;
        long count = Grid.CountBetween(_counted, now);
        if (count == 0)
        {
            // The interval was made longer after this run was scheduled: it is not at a place any more.
            ScheduleNext();
            return;
        }

        _counted = now;
        _isInRun = true;
        Deferred? run;
        try
        {
            run = _function(count);
        }
        catch (Exception exception)
        {
            // The function's, and it ends the looping call as a failed Deferred does (R-TASK-08).
            End(exception);
            return;
        }

        if (run is null || run.HasResult)
        {
            OnRunEnded(run);
        }
        else
        {
            run.OnSettled(() => OnRunEnded(run));
        }
    }

    private void OnRunEnded(Deferred? run)
    {
        Exception? failure = null;
        try
        {
            run?.ObserveOutcome();
            _isInRun = false;
            if (IsRunning)
            {
                ScheduleNext();
                return;
            }
        }
        catch (Exception exception)
        {
            // The function's, as above; or the reactor is disposed meanwhile.
            failure = exception;
        }

        End(failure);
    }

    private void End(Exception? failure)
    {
        _isInRun = false;
        Halt();
        Deferred<LoopingCall> outcome = _outcome!;
        _outcome = null;
        if (failure is null)
        {
            if (!outcome.IsFired)
            {
                outcome.Callback(this);
            }
        }
        else if (!outcome.IsFired)
        {
            outcome.Errback(failure);
        }
        else
        {
            // Cancelled in the middle of this run: nobody else is left to hear of it.
            Deferred.ReportUnhandled(failure);
        }
    }
}
