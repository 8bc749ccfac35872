namespace LoopBridge.Testing;

/// <summary>A monotonic clock that stands still until a test moves it. A loop that already waits has to be woken to notice (any callback
/// does).</summary>
public sealed class ManualTimeProvider : TimeProvider
{
    private long _ticks;

    public ManualTimeProvider(TimeSpan start = default) => _ticks = start.Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
