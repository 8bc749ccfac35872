namespace LoopBridge.Reactors;

public abstract partial class ReactorBase
{
    /// <inheritdoc />
    public abstract TimeSpan Time { get; }

    /// <inheritdoc />
    public bool RecordSchedulingSites { get; set; }

    /// <inheritdoc />
    public IDelayedCall CallLater(TimeSpan delay, Action call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return CallLater(delay, static state => ((Action)state!)(), call);
    }

    /// <inheritdoc />
    public IDelayedCall CallLater(TimeSpan delay, Action<object?> call, object? state)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return CallAt(DelayedCall.Add(Time, delay), call, state);
    }

    /// <inheritdoc />
    public IDelayedCall CallAt(TimeSpan time, Action<object?> call, object? state)
    {
        ArgumentNullException.ThrowIfNull(call);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        var delayed = new DelayedCall(this, call, state);
        delayed.Schedule(time);
        DelayedCalls.Add(delayed);
        return delayed;
    }

    /// <inheritdoc />
    public IReadOnlyList<IDelayedCall> GetDelayedCalls() => DelayedCalls.ToArray();
}
