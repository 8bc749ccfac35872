namespace LoopBridge.Loops;

/// <summary>
/// The arithmetic of <see cref="PeriodicCallback"/>, apart from any clock. Tornado: <c>PeriodicCallback._update_next</c>.
/// </summary>
internal static class PeriodicSchedule
{
    /// <summary>
    /// The first place of the grid <paramref name="scheduled"/> + k · <paramref name="interval"/> that lies after <paramref name="now"/>.
    /// </summary>
    /// <param name="scheduled">When the last run was to begin: not when it did, so that small delays do not add up.</param>
    /// <param name="now">The present time. Before <paramref name="scheduled"/> only if the clock went back.</param>
    /// <param name="interval">Positive.</param>
    internal static TimeSpan Next(TimeSpan scheduled, TimeSpan now, TimeSpan interval)
    {
        // A clock that went back would give the same place again, and again until it has caught up: one interval on, whatever it shows.
        long places = now < scheduled ? 1 : ((now.Ticks - scheduled.Ticks) / interval.Ticks) + 1;

        // "For ever" stays for ever, and does not wrap into the past.
        Int128 next = scheduled.Ticks + ((Int128)places * interval.Ticks);
        return next > long.MaxValue ? TimeSpan.MaxValue : new TimeSpan((long)next);
    }

    /// <summary>One interval with its share of chance: <paramref name="period"/> · (1 + jitter · (random − 0.5)).</summary>
    /// <param name="period">Positive.</param>
    /// <param name="jitter">From zero to one.</param>
    /// <param name="random">From zero to one.</param>
    internal static TimeSpan Interval(TimeSpan period, double jitter, double random)
    {
        double ticks = period.Ticks * (1 + (jitter * (random - 0.5)));
        return ticks >= TimeSpan.MaxValue.Ticks ? TimeSpan.MaxValue : new TimeSpan(Math.Max((long)Math.Round(ticks), 1));
    }
}
