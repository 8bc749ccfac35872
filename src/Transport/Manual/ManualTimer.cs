using LoopBridge.Loops;

namespace LoopBridge.Manual;

/// <summary>
/// A timer of <see cref="ManualClock"/>: what <c>Task.Delay</c>, token sources and <c>PeriodicTimer</c> wait for. A timeout of the loop, so
/// that it takes its place among the others by deadline and order.
/// </summary>
internal sealed class ManualTimer(ManualLoop loop, TimerCallback callback, object? state) : ITimer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private LoopTimeout? _timeout;
    private TimeSpan _deadline;
    private TimeSpan _period;
    private volatile bool _disposed;

    /// <summary>Any thread: a delay may be cancelled on another one, and then the loop does it.</summary>
    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        ThrowIfNoTime(dueTime, nameof(dueTime));
        ThrowIfNoTime(period, nameof(period));
        if (_disposed)
        {
            return false;
        }

        TimeSpan now = loop.Time;
        TimeSpan? deadline = dueTime == Timeout.InfiniteTimeSpan ? null
            : dueTime > TimeSpan.MaxValue - now ? TimeSpan.MaxValue
            : now + dueTime;
        OnLoop(() => Arm(deadline, period));
        return true;
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            OnLoop(Disarm);
        }
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private static void ThrowIfNoTime(TimeSpan time, string name)
    {
        if (time != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, name);
        }
    }

    private void OnLoop(Action action)
    {
        if (loop.IsOnLoopThread)
        {
            action();
        }
        else
        {
            loop.AddCallback(action); // refused by a closed loop, where no timer fires any more
        }
    }

    private void Arm(TimeSpan? deadline, TimeSpan period)
    {
        Disarm();
        if (deadline is { } due && !_disposed)
        {
            _deadline = due;
            _period = period;
            _timeout = loop.CallAt(due, static timer => ((ManualTimer)timer!).Fire(), this);
        }
    }

    private void Disarm()
    {
        if (_timeout is { } timeout)
        {
            _timeout = null;
            loop.RemoveTimeout(timeout);
        }
    }

    private void Fire()
    {
        _timeout = null;
        if (_disposed)
        {
            return; // on another thread, and the loop's share of it is still queued
        }

        if (_period > TimeSpan.Zero)
        {
            Arm(_deadline + _period, _period); // before the callback, which may change it
        }

        if (_context is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_context, static pair =>
            {
                (TimerCallback run, object? argument) = ((TimerCallback, object?))pair!;
                run(argument);
            }, (callback, state));
        }
    }
}
