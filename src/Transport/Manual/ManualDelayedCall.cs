using System.Diagnostics;
using LoopBridge.Reactors;

namespace LoopBridge.Manual;

/// <summary>A call of a <see cref="ManualReactorClock"/>.</summary>
internal sealed class ManualDelayedCall(ManualReactorClock clock, Action<object?> function, object? state) : IDelayedCall
{
    private Action<object?>? _function = function;
    private object? _state = state;
    private bool _wasCalled;

    /// <summary>Where it was scheduled, if that was to be recorded.</summary>
    internal string? Site { get; } = clock.RecordSchedulingSites ? new StackTrace(fNeedFileInfo: true).ToString() : null;

    public TimeSpan Time { get; private set; }

    public bool Active => _function is not null;

    /// <summary>Settles ties: the order of scheduling, or of the last move.</summary>
    internal long Sequence { get; private set; }

    public void Cancel()
    {
        ThrowIfOver();
        Release();
    }

    public void Reset(TimeSpan delay)
    {
        ThrowIfOver();
        MoveTo(DelayedCall.Add(clock.Time, delay < TimeSpan.Zero ? TimeSpan.Zero : delay));
    }

    public void Delay(TimeSpan delay)
    {
        ThrowIfOver();
        MoveTo(DelayedCall.Add(Time, delay));
    }

    public override string ToString()
        => $"call of {_function?.Method.Name ?? "nothing any more"} at {Time}"
            + (Active ? "" : _wasCalled ? ", called" : ", cancelled");

    internal void MoveTo(TimeSpan time)
    {
        Time = time;
        Sequence = clock.NextSequence();
    }

    internal void Run()
    {
        Action<object?> call = _function!;
        object? argument = _state;
        _wasCalled = true;
        Release();
        call(argument);
    }

    /// <summary>What it refers to is nobody's business any more (R-TIME-17).</summary>
    private void Release()
    {
        _function = null;
        _state = null;
        clock.Remove(this);
    }

    private void ThrowIfOver()
    {
        if (!Active)
        {
            throw _wasCalled ? new DelayedCallAlreadyCalledException() : new DelayedCallAlreadyCancelledException();
        }
    }
}
