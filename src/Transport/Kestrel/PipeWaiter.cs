using System.Threading.Tasks.Sources;
using LoopBridge.Loops;

namespace LoopBridge.Kestrel;

/// <summary>
/// The one waiting read or flush of a pipe, reused for each: no allocation, no lock. Waiter and waker agree by an exchange on who completes
/// it.
/// </summary>
/// <remarks>
/// <para>The waiter begins, then looks at its condition once more; the waker makes the condition true, then wakes. Whichever order they come
/// in, at least one sees the other. Only a wake from the loop's own receiving or sending may continue inline; everybody else's stack is not
/// ours to build on.</para>
/// <para>Under <see cref="LoopScheduling.Adaptive"/> such a wake resumes nobody who does not yet await: he would find it completed, and go
/// on where he is, which may be the thread pool. It is noted, and he is resumed when he awaits.</para>
/// </remarks>
internal sealed class PipeWaiter<TResult>(IPipeEnd<TResult> end, ConnectionScheduler scheduler) : ScheduledWait(scheduler), IValueTaskSource<TResult>, ILoopWork
{
    private const int None = 0;
    private const int Begun = 1;
    private const int Awaited = 2;
    private const int WokenEarly = 3;

    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;
    private CancellationToken _cancellationToken;
    private int _waiting;

    internal ValueTask<TResult> Task => new(this, _core.Version);

    /// <summary>Any thread.</summary>
    internal bool IsWaiting => Volatile.Read(ref _waiting) != None;

    /// <summary>From here on <see cref="Wake"/> completes the wait.</summary>
    internal void Begin(CancellationToken cancellationToken)
    {
        _core.Reset();
        _cancellationToken = cancellationToken;
        Interlocked.Exchange(ref _waiting, Begun);
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(static state => ((PipeWaiter<TResult>)state!).Wake(inline: false), this);
        }
    }

    /// <summary>Takes the wait back because the condition holds already. False: somebody is completing it.</summary>
    internal bool TryEnd()
    {
        if (Interlocked.Exchange(ref _waiting, None) == None)
        {
            return false;
        }

        _registration.Dispose();
        return true;
    }

    /// <param name="inline">The loop itself wakes: on its thread, by what it has received or sent.</param>
    internal void Wake(bool inline)
    {
        if (inline && Scheduler.Scheduling == LoopScheduling.Adaptive && WakeEarly())
        {
            return;
        }

        if (Interlocked.Exchange(ref _waiting, None) == None)
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

    /// <summary>Resumes him who does not yet await when he does. False: he awaits already, or there is nobody. Any thread.</summary>
    internal bool WakeEarly() => Interlocked.CompareExchange(ref _waiting, WokenEarly, Begun) is Begun or WokenEarly;

    /// <summary>He awaits now, having been woken before that.</summary>
    void ILoopWork.Run() => Scheduler.Resume(this);

    internal override void Continue() => _core.SetResult(true);

    TResult IValueTaskSource<TResult>.GetResult(short token)
    {
        _core.GetResult(token);
        if (_cancellationToken.CanBeCanceled)
        {
            _registration.Dispose();
            _cancellationToken.ThrowIfCancellationRequested();
        }

        return end.Take();
    }

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _core.GetStatus(token);

    // Like Kestrel's pipes: whoever awaits is continued here, not where his synchronization context would like it.
    void IValueTaskSource<TResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        _core.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
        if (Interlocked.CompareExchange(ref _waiting, Awaited, Begun) == WokenEarly
            && Interlocked.CompareExchange(ref _waiting, None, WokenEarly) == WokenEarly)
        {
            Scheduler.ResumeOnLoop(this);
        }
    }
}

/// <summary>The reader or writer that waits.</summary>
internal interface IPipeEnd<TResult>
{
    /// <summary>What a wait that is over returns, or throws. Whoever waited.</summary>
    TResult Take();
}
