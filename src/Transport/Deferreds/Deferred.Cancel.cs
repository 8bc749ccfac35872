namespace LoopBridge.Deferreds;

public abstract partial class Deferred
{
    /// <summary>
    /// Asks that the result be given up. Before firing, the canceller is called (once); unless it fires the Deferred itself, the failure is
    /// a <see cref="DeferredCancelledException"/>. A Deferred that waits for another passes the request on to that one; a result that is
    /// already there stays.
    /// </summary>
    /// <remarks>
    /// Without a canceller nobody can tell the producer, so its one later firing is ignored; the next throws
    /// <see cref="AlreadyCalledException"/>. An exception from the canceller leaves this method, and the Deferred is cancelled all the same.
    /// </remarks>
    public void Cancel()
    {
        Deferred target = this;
        while (target.CancelsUpstream && target.Upstream is { } upstream)
            target = upstream;

        if (!target.IsFired)
            target.CancelUnfired();
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
