using System.Diagnostics;
using System.Runtime.CompilerServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Reactors;

/// <summary>One delayed call: the handle, the guard around the callback, and its place in the reactor's list in one object.</summary>
internal sealed class DelayedCall : IDelayedCall, IOnBehalf
{
    private readonly ReactorBase _reactor;
    private readonly string? _site;
    private Action<object?>? _callback;
    private object? _state;
    private LoopTimeout? _timeout;
    private bool _called;

    internal DelayedCall(ReactorBase reactor, Action<object?> callback, object? state)
    {
        _reactor = reactor;
        _callback = callback;
        _state = state;
        _site = reactor.RecordSchedulingSites ? RecordSite() : null;
    }

    public TimeSpan Time { get; private set; }

    public bool Active => _callback is not null;

    object? IOnBehalf.Behalf => _reactor.PresentCall;

    internal DelayedCall? Previous { get; set; }

    internal DelayedCall? Next { get; set; }

    public void Cancel()
    {
        ThrowIfOver();
        Drop();
    }

    public void Reset(TimeSpan delay)
    {
        ThrowIfOver();
        Move(Add(_reactor.Time, delay < TimeSpan.Zero ? TimeSpan.Zero : delay));
    }

    public void Delay(TimeSpan delay)
    {
        ThrowIfOver();
        Move(Add(Time, delay));
    }

    /// <summary>Deadlines stay in the clock's range: for ever plus something is for ever.</summary>
    internal static TimeSpan Add(TimeSpan time, TimeSpan delay)
        => delay > TimeSpan.Zero && time > TimeSpan.MaxValue - delay ? TimeSpan.MaxValue
            : delay < TimeSpan.Zero && time < TimeSpan.MinValue - delay ? TimeSpan.MinValue
            : time + delay;

    internal void Schedule(TimeSpan time)
    {
        Time = time;
        _timeout = _reactor.Arm(this);
    }

    /// <summary>As <see cref="Cancel"/>, for the reactor's own end: nothing is refused.</summary>
    internal void Drop()
    {
        if (_timeout is { } timeout)
        {
            _reactor.Disarm(timeout);
        }

        Finish();
    }

    /// <summary>Its time has come. Called by what <see cref="ReactorBase.Arm"/> armed.</summary>
    internal void Fire()
    {
        if (_callback is not { } callback)
        {
            return; // cancelled by an earlier one of the same turn (R-TIME-08)
        }

        object? state = _state;
        _called = true;
        Finish();
        try
        {
            _reactor.PresentCall = state is Action or IOnBehalf ? state : callback;
            callback(state);
        }
        catch (Exception e)
        {
            _reactor.Report(e, _site ?? (state is Action ? state : callback)); // user code: the call counts as called (R-TIME-15)
        }

        _reactor.PresentCall = null;
        _reactor.OnServed();
    }

    public override string ToString()
    {
        string? what = _callback is not null ? What() : _called ? "called" : "cancelled";
        return $"DelayedCall {Time} {what}";
    }

    // By itself, because it needs an assembly of its own: loaded for the first delayed call, it could fail where a process without
    // descriptors wants to rest.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private string RecordSite() => $"{What()}, scheduled{Environment.NewLine}{new StackTrace(fNeedFileInfo: true)}";

    private string? What() => ReactorBase.Describe(_state as Action ?? (object?)_callback)?.ToString();

    private void Move(TimeSpan time)
    {
        _reactor.Disarm(_timeout!);
        Schedule(time);
    }

    // Whoever keeps the handle keeps nothing of the user's alive with it (R-TIME-17).
    private void Finish()
    {
        _callback = null;
        _state = null;
        _timeout = null;
        _reactor.DelayedCalls.Remove(this);
    }

    private void ThrowIfOver()
    {
        if (_callback is null)
        {
            throw _called ? new DelayedCallAlreadyCalledException() : new DelayedCallAlreadyCancelledException();
        }
    }
}
