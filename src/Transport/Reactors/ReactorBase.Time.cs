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
        ArgumentNullException.ThrowIfNull(call);
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        var delayed = new DelayedCall(this, call, state);
        delayed.Schedule(DelayedCall.Add(Time, delay));
        DelayedCalls.Add(delayed);
        return delayed;
    }

    /// <inheritdoc />
    public IReadOnlyList<IDelayedCall> GetDelayedCalls() => DelayedCalls.ToArray();
}
