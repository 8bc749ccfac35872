using System.Threading.Tasks.Sources;
using LoopBridge.Loops;

namespace LoopBridge.Kestrel;

/// <summary>
/// The one waiting read or flush of a pipe, reused for each: no allocation, no lock. Waiter and waker agree by an exchange on who
/// completes it.
/// </summary>
/// <remarks>
/// <para>The waiter begins, then looks at its condition once more; the waker makes the condition true, then wakes. Whichever order they
/// come in, at least one sees the other. Only a wake from the loop's own receiving or sending may continue inline; everybody else's stack
/// is not ours to build on.</para>
/// <para>Waits are numbered, because news may be late: the waiter has seen by itself what the waker is about to tell him, has used it up and
/// waits for more. So a waker looks which wait there is, then whether that one has what it waits for, and wakes that one or none.</para>
/// <para>Under <see cref="LoopScheduling.Adaptive"/> a wake of the loop's resumes nobody who does not yet await: he would find it completed,
/// and go on where he is, which may be the thread pool. It is noted, and he is resumed when he awaits.</para>
/// </remarks>
internal sealed class PipeWaiter<TResult>(IPipeEnd<TResult> end, ConnectionScheduler scheduler) : ScheduledWait(scheduler), IValueTaskSource<TResult>, ILoopWork
{
    // The low two bits. Above them stands the number of the wait; it may wrap.
    private const int None = 0;
    private const int Begun = 1;
    private const int Awaited = 2;
    private const int WokenEarly = 3;
    private const int States = 3;

    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;
    private CancellationToken _cancellationToken;
    private int _number;
    private int _waiting;

    internal ValueTask<TResult> Task => new(this, _core.Version);

    /// <summary>From here on <see cref="Wake"/> completes the wait.</summary>
    internal void Begin(CancellationToken cancellationToken)
    {
        _core.Reset();
        _cancellationToken = cancellationToken;
        _number += States + 1;
        Interlocked.Exchange(ref _waiting, _number | Begun);
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(static state => ((PipeWaiter<TResult>)state!).Wake(inline: false), this);
        }
    }

    /// <summary>Takes the wait back because the condition holds already. False: somebody is completing it.</summary>
    internal bool TryEnd()
    {
        if ((Interlocked.Exchange(ref _waiting, None) & States) == None)
        {
            return false;
        }

        _registration.Dispose();
        return true;
    }

    /// <summary>Something has changed. Any thread.</summary>
    /// <param name="inline">The loop itself wakes: on its thread, by what it has received or sent.</param>
    internal void Wake(bool inline)
    {
        Interlocked.MemoryBarrier(); // the change, before the look at who waits: he looks the other way round
        while (true)
        {
            int seen = Volatile.Read(ref _waiting);
            int state = seen & States;
            if (state == None || !(end.IsReady || _cancellationToken.IsCancellationRequested))
            {
                return;
            }

            bool early = inline && state != Awaited && Scheduler.Scheduling == LoopScheduling.Adaptive;
            int wanted = early ? seen | WokenEarly : None;
            if (Interlocked.CompareExchange(ref _waiting, wanted, seen) != seen)
            {
                continue; // it is awaited by now, or over
            }

            if (early)
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

            return;
        }
    }

    /// <summary>Has the wait that was just begun resumed when it is awaited. Waiter.</summary>
    internal void WakeEarly() => Interlocked.CompareExchange(ref _waiting, _number | WokenEarly, _number | Begun);

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
        int number = _number; // first: as soon as it can be continued, the next wait may begin, on another thread
        _core.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);
        if (Interlocked.CompareExchange(ref _waiting, number | Awaited, number | Begun) == (number | WokenEarly)
            && Interlocked.CompareExchange(ref _waiting, None, number | WokenEarly) == (number | WokenEarly))
        {
            Scheduler.ResumeOnLoop(this);
        }
    }
}

/// <summary>The reader or writer that waits.</summary>
internal interface IPipeEnd<TResult>
{
    /// <summary>Whether there is what a wait is for. Any thread.</summary>
    bool IsReady { get; }

    /// <summary>What a wait that is over returns, or throws. Whoever waited.</summary>
    TResult Take();
}
