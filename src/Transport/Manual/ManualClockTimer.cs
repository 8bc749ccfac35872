using LoopBridge.Reactors;

namespace LoopBridge.Manual;

/// <summary>A timer of <see cref="ManualReactorClock"/>, as one of its delayed calls.</summary>
internal sealed class ManualClockTimer(ManualReactorClock clock, TimerCallback callback, object? state) : ITimer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private IDelayedCall? _call;
    private TimeSpan _period;
    private bool _isDisposed;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        ThrowIfNoTime(dueTime, nameof(dueTime));
        ThrowIfNoTime(period, nameof(period));
        if (_isDisposed)
        {
            return false;
        }

        Disarm();
        _period = period;
        if (dueTime != Timeout.InfiniteTimeSpan)
        {
            Arm(dueTime);
        }

        return true;
    }

    public void Dispose()
    {
        _isDisposed = true;
        Disarm();
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

    private void Arm(TimeSpan delay) => _call = clock.CallLater(delay, static timer => ((ManualClockTimer)timer!).Fire(), this);

    private void Disarm()
    {
        if (_call is { Active: true } call)
        {
            call.Cancel();
        }

        _call = null;
    }

    private void Fire()
    {
        _call = null;
        if (_period > TimeSpan.Zero)
        {
            Arm(_period); // before the callback, which may change it
        }

        if (_context is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_context, static timer => ((ManualClockTimer)timer!).CallBack(), this);
        }
    }

    private void CallBack() => callback(state);
}
