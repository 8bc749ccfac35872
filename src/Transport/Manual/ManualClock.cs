namespace LoopBridge.Manual;

/// <summary>The clock of a manual loop: stands still until it is moved. Its timers are timeouts of the loop.</summary>
internal sealed class ManualClock(ManualLoop loop, DateTimeOffset start) : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    // The same everywhere: a test must not depend on where it runs.
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => start + new TimeSpan(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(loop, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Never backwards.</summary>
    internal void MoveTo(TimeSpan time) => Volatile.Write(ref _ticks, Math.Max(time.Ticks, _ticks));
}
