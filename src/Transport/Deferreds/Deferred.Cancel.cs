namespace LoopBridge.Deferreds;

public abstract partial class Deferred
{
    /// <summary>
    /// Asks that the result be given up. Before firing, the canceller is called (once); unless it fires the Deferred itself, the
    /// failure is a <see cref="DeferredCancelledException"/>. A Deferred that waits for another passes the request on to that one; a
    /// result that is already there stays.
    /// </summary>
    /// <remarks>
    /// Without a canceller nobody can tell the producer, so its one later firing is ignored; the next throws
    /// <see cref="AlreadyCalledException"/>. An exception from the canceller leaves this method, and the Deferred is cancelled all the
    /// same.
    /// </remarks>
    public void Cancel()
    {
        Deferred target = this;
        Deferred mark = this;
        for (long step = 1; target.CancelsUpstream && target.Upstream is { } upstream; step++)
        {
            // What the method awaited has its result: the method goes on, or is about to, and a request to that one would be lost.
            if (target.Is(State.Routine) && upstream.IsSettled)
            {
                target.Set(State.CancelsNextAwait, true);
                return;
            }

            target = upstream;

            // Brent's search for a circle, too long for the check at its making (R-DEF-09): nobody in it can be asked for anything.
            if (ReferenceEquals(target, mark))
                return;
            if (long.IsPow2(step))
                mark = target;
        }

        if (!target.IsFired)
            target.CancelUnfired();
    }

    /// <summary>The method whose outcome this is awaits something, perhaps something that cannot be cancelled.</summary>
    private protected void Suspend(Deferred? awaited)
    {
        Set(State.Routine, true);
        Upstream = awaited;
        if (Is(State.CancelsNextAwait))
        {
            Set(State.CancelsNextAwait, false);
            Cancel();
        }
    }

    /// <summary>Calls the canceller and forgets it. False if there is none.</summary>
    private protected abstract bool TryCallCanceller();

    private void CancelUnfired()
    {
        // Read first: the canceller is gone after the first request, and a second one must not be taken for "there never was one".
        bool onlyAsks = Is(State.CancelOnlyAsks);
        try
        {
            if (!TryCallCanceller() && !onlyAsks)
                Set(State.AbsorbsOneFiring, true);
        }
        finally
        {
            if (!IsFired && !onlyAsks)
                Errback(new DeferredCancelledException());
        }
    }
}
