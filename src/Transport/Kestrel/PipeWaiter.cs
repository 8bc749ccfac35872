using System.Threading.Tasks.Sources;

namespace LoopBridge.Kestrel;

/// <summary>
/// The one waiting read or flush of a pipe, reused for each: no allocation, no lock. Waiter and waker agree by an exchange on who completes
/// it.
/// </summary>
/// <remarks>
/// The waiter begins, then looks at its condition once more; the waker makes the condition true, then wakes. Whichever order they come in,
/// at least one sees the other. Only a wake from the loop's own receiving or sending may continue inline; everybody else's stack is not
/// ours to build on.
/// </remarks>
internal sealed class PipeWaiter<TResult>(Func<TResult> take, ConnectionScheduler scheduler) : ScheduledWait(scheduler), IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;
    private CancellationToken _cancellationToken;
    private int _waiting;

    internal ValueTask<TResult> Task => new(this, _core.Version);

    /// <summary>Any thread.</summary>
    internal bool IsWaiting => Volatile.Read(ref _waiting) != 0;

    /// <summary>From here on <see cref="Wake"/> completes the wait.</summary>
    internal void Begin(CancellationToken cancellationToken)
    {
        _core.Reset();
        _cancellationToken = cancellationToken;
        Interlocked.Exchange(ref _waiting, 1);
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(static state => ((PipeWaiter<TResult>)state!).Wake(inline: false), this);
        }
    }

    /// <summary>Takes the wait back because the condition holds already. False: somebody is completing it.</summary>
    internal bool TryEnd()
    {
        if (Interlocked.CompareExchange(ref _waiting, 0, 1) != 1)
        {
            return false;
        }

        _registration.Dispose();
        return true;
    }

    /// <param name="inline">The loop itself wakes: on its thread, by what it has received or sent.</param>
    internal void Wake(bool inline)
    {
        if (Interlocked.CompareExchange(ref _waiting, 0, 1) != 1)
        {
            return;
        }

        if (inline)
        {
            Scheduler.Resume(this);
        }
        else
        {
            ConnectionScheduler.ResumeOnPool(this);
        }
    }

    internal override void Continue() => _core.SetResult(true);

    TResult IValueTaskSource<TResult>.GetResult(short token)
    {
        _core.GetResult(token);
        if (_cancellationToken.CanBeCanceled)
        {
            _registration.Dispose();
            _cancellationToken.ThrowIfCancellationRequested();
        }

        return take();
    }

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _core.GetStatus(token);

    // Like Kestrel's pipes: whoever awaits is continued here, not where his synchronization context would like it.
    void IValueTaskSource<TResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
}
