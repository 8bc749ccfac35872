namespace LoopBridge.Reactors;

/// <summary>
/// The places start + k · interval at which a <see cref="LoopingCall"/> runs, in whole ticks: no sum of intervals is ever rounded
/// (R-TASK-05).
/// </summary>
/// <remarks>Unlike the schedule of a <see cref="Loops.PeriodicCallback"/> it stays tied to its start, so places can be counted.</remarks>
internal readonly record struct LoopingCallGrid(TimeSpan Start, TimeSpan Interval)
{
    /// <summary>How long it is from <paramref name="now"/> to the next place after it; zero if there is no interval.</summary>
    internal TimeSpan DelayAfter(TimeSpan now)
        => Interval == TimeSpan.Zero ? TimeSpan.Zero : Interval - new TimeSpan((now.Ticks - Start.Ticks) % Interval.Ticks);

    /// <summary>How many places lie after <paramref name="last"/>, up to <paramref name="now"/>; one if there is no interval.</summary>
    internal long CountBetween(TimeSpan last, TimeSpan now) => Interval == TimeSpan.Zero ? 1 : PlaceOf(now) - PlaceOf(last);

    private long PlaceOf(TimeSpan time)
    {
        // Rounded down, also for the place before the start that a run at the start counts from.
        long ticks = time.Ticks - Start.Ticks;
        return (ticks / Interval.Ticks) - (ticks % Interval.Ticks < 0 ? 1 : 0);
    }
}
