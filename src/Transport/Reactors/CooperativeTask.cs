using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

/// <summary>One piece of work on a <see cref="Cooperator"/>. Descends from Twisted's <c>CooperativeTask</c>. Reactor thread.</summary>
public sealed class CooperativeTask
{
    private readonly Cooperator _cooperator;
    private readonly IEnumerator<Deferred?> _work;
    private List<Deferred<Unit>>? _waiting = [];
    private DeferredResult<Unit> _outcome;
    private int _pauses;
    private Deferred<Unit>? _unclaimed;
    private bool _isWaiting;
    private bool _isInUnit;

    internal CooperativeTask(Cooperator cooperator, IEnumerator<Deferred?> work)
    {
        _cooperator = cooperator;
        _work = work;
    }

    /// <summary>Whether it has ended: all units are done, one failed, or it was stopped.</summary>
    public bool IsDone => _waiting is null;

    internal bool IsReady => !IsDone && _pauses == 0 && !_isWaiting;

    /// <summary>Whether the cooperator has a place for it in its rounds.</summary>
    internal bool IsInRound { get; set; }

    /// <summary>Waits for the end.</summary>
    /// <returns>
    /// A Deferred of the caller's own; at once if it has ended. It fires when all units are done, and fails with what a unit threw, with
    /// the failure of a Deferred that a unit yielded, with <see cref="CooperativeTaskStoppedException"/> or with
    /// <see cref="CooperatorStoppedException"/>. Cancelling it leaves the task alone.
    /// </returns>
    public Deferred<Unit> WhenDone()
    {
        if (_waiting is null)
        {
            _unclaimed?.MarkObserved();
            return new Deferred<Unit>(_outcome);
        }

        var waiting = new Deferred<Unit>();
        _waiting.Add(waiting);
        return waiting;
    }

    /// <summary>No unit is done until <see cref="Resume"/>. Counted.</summary>
    /// <exception cref="CooperativeTaskFinishedException">It has ended.</exception>
    public void Pause()
    {
        ThrowIfDone();
        bool wasReady = IsReady;
        _pauses++;
        if (wasReady)
        {
            _cooperator.Hold();
        }
    }

    /// <summary>Undoes one <see cref="Pause"/>.</summary>
    /// <exception cref="InvalidOperationException">It is not paused.</exception>
    public void Resume()
    {
        if (_pauses == 0)
        {
            throw new InvalidOperationException("The task is not paused.");
        }

        _pauses--;
        if (IsReady)
        {
            _cooperator.Ready(this);
        }
    }

    /// <summary>Ends it; a Deferred that it waits for is left alone.</summary>
    /// <exception cref="CooperativeTaskFinishedException">It has ended.</exception>
    public void Stop()
    {
        ThrowIfDone();
        Finish(new CooperativeTaskStoppedException());
    }

    internal void DoUnit()
    {
        Deferred? wait = null;
        bool isAtEnd = false;
        Exception? failure = null;
        _isInUnit = true;
        try
        {
            isAtEnd = !_work.MoveNext();
            wait = isAtEnd ? null : _work.Current;
        }
        catch (Exception exception)
        {
            // The work's, and the end of it.
            failure = exception;
        }

        _isInUnit = false;
        if (IsDone)
        {
            // Stopped by its own unit, in the middle of which the iterator could not be disposed of.
            failure = Dispose() ?? failure;
            if (failure is not null)
            {
                Deferred.ReportUnhandled(failure);
            }
        }
        else if (isAtEnd || failure is not null)
        {
            Finish(failure);
        }
        else if (wait is { HasResult: false })
        {
            if (IsReady)
            {
                _cooperator.Hold();
            }

            _isWaiting = true;
            wait.OnSettled(() => GoOn(wait));
        }
        else if (wait is not null)
        {
            Observe(wait);
        }
    }

    /// <param name="failure">Null: all units are done.</param>
    internal void Finish(Exception? failure)
    {
        if (IsReady)
        {
            _cooperator.Hold();
        }

        List<Deferred<Unit>> waiting = _waiting!;
        _waiting = null;
        _cooperator.Forget(this);
        failure = (_isInUnit ? null : Dispose()) ?? failure;
        _outcome = failure is null ? DeferredResult.Success(default(Unit)) : DeferredResult.Failure<Unit>(failure);
        foreach (Deferred<Unit> each in waiting)
        {
            if (!each.IsFired)
            {
                each.Fire(_outcome);
            }
        }

        // Nobody has asked yet. If nobody ever does, the failure is told of when the task is collected; a stop is no failure.
        if (waiting.Count == 0 && failure is not (null or CooperatorStoppedException or CooperativeTaskStoppedException))
        {
            _unclaimed = new Deferred<Unit>(_outcome);
        }
    }

    private void GoOn(Deferred wait)
    {
        if (IsDone)
        {
            // Stopped meanwhile: the failure, if it is one, stays with its Deferred.
            return;
        }

        Observe(wait);
        _isWaiting = false;
        if (IsReady)
        {
            _cooperator.Ready(this);
        }
    }

    private void Observe(Deferred wait)
    {
        try
        {
            wait.ObserveOutcome();
        }
        catch (Exception exception)
        {
            // What the work waited for failed, and so does the work.
            Finish(exception);
        }
    }

    /// <summary>Runs the work's finally blocks; what they throw is returned.</summary>
    private Exception? Dispose()
    {
        try
        {
            _work.Dispose();
            return null;
        }
        catch (Exception exception)
        {
            // Part of how the work ends.
            return exception;
        }
    }

    private void ThrowIfDone()
    {
        if (IsDone)
        {
            throw new CooperativeTaskFinishedException(_outcome.Error);
        }
    }
}
