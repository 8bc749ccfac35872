using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>What locks and semaphores have in common: permits, those who wait for one, and who holds one by a scope.</summary>
/// <remarks>
/// A permit that comes back goes straight to the longest waiting one; nobody who asks in between can take it (L-LOCK-04, L-LOCK-07).
/// </remarks>
/// <param name="loop">Where they wait.</param>
/// <param name="owner">The public type's name, for errors.</param>
/// <param name="subject">What is waited for, in the message of a time-out.</param>
/// <param name="free">Permits to begin with.</param>
/// <param name="maximum">The most there can be.</param>
internal sealed class PermitPool(IEventLoop loop, string owner, string subject, int free, int maximum)
{
    private readonly WaitLine<LoopPermit> _line = new(loop, subject);
    private readonly Stack<PermitScope> _spareScopes = [];

    internal int Free { get; private set; } = free;

    internal int Waiting => _line.Count;

    /// <summary>The permit that was given out last: of a lock, which has one, its holder's.</summary>
    internal LoopPermit Last { get; private set; }

    internal void VerifyAccess() => LoopAffinity.Verify(loop, owner);

    internal ValueTask<LoopPermit> AcquireAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        VerifyAccess();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<LoopPermit>(cancellationToken);
        }

        return TryAcquire(out LoopPermit permit)
            ? new ValueTask<LoopPermit>(permit)
            : _line.Join(timeout, cancellationToken).Outcome;
    }

    internal bool TryAcquire(out LoopPermit permit)
    {
        VerifyAccess();
        if (Free == 0)
        {
            permit = default;
            return false;
        }

        Free--;
        permit = Grant();
        return true;
    }

    /// <exception cref="InvalidOperationException">All permits are there.</exception>
    internal void Release()
    {
        VerifyAccess();
        if (_line.TakeFirst() is { } waiter)
        {
            waiter.Succeed(Grant());
        }
        else if (Free == maximum)
        {
            throw new InvalidOperationException($"The {owner} was released too often: it has all its {maximum} permits already.");
        }
        else
        {
            Free++;
        }
    }

    /// <summary>A scope that has ended may begin again: steady use allocates none.</summary>
    internal void Recycle(PermitScope scope) => _spareScopes.Push(scope);

    private LoopPermit Grant()
    {
        Last = (_spareScopes.TryPop(out PermitScope? spare) ? spare : new PermitScope(this)).Begin();
        return Last;
    }
}
