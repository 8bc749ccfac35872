namespace LoopBridge.Benchmarks.Wrk;

/// <summary>
/// How often wrk saw which latency, one bucket per microsecond.
///
/// At its end wrk "corrects" them for coordinated omission (stats_correct in its stats.c): it assumes that each connection should send
/// once per interval = duration / (requests / connections), and below every value of two intervals or more it adds made-up ones, an
/// interval apart. That interval is in truth just the mean time per request. With requests pipelined, where one latency stands for a
/// whole batch, it is a small part of each: then nearly all values are invented, and many lie below the least that was seen, where
/// wrk's own percentiles do not look and print 0. We take the inventions out again and report what was measured.
/// </summary>
internal sealed class WrkLatencies
{
    private readonly long[] _counts;
    private readonly long _least;

    /// <summary>Of pairs: a value in microseconds, how often.</summary>
    public WrkLatencies(IEnumerable<long[]> buckets)
    {
        long[][] pairs = [.. buckets];
        _least = pairs.Length == 0 ? 0 : pairs.Min(pair => pair[0]);
        _counts = new long[pairs.Length == 0 ? 0 : pairs.Max(pair => pair[0]) + 1];
        foreach (long[] pair in pairs)
            _counts[pair[0]] = pair[1];
    }

    public long Total => _counts.Sum();

    /// <summary>Takes the made-up values out.</summary>
    /// <param name="interval">wrk's, in microseconds.</param>
    /// <remarks>
    /// wrk goes upwards and every value adds only to smaller ones, so each is still untouched when its turn comes. Going downwards, each
    /// has been freed by its turn of all that was added to it, and says how much it added itself.
    /// </remarks>
    public void RemoveCorrection(long interval)
    {
        for (long value = _counts.Length - 1; value >= 2 * interval && interval > 0; value--)
        {
            long added = _counts[value];
            // What wrk added below the least value seen, it does not print.
            for (long at = value - interval; added > 0 && at > interval && at >= _least; at -= interval)
                _counts[at] -= added;
        }
    }

    /// <summary>The value that this share (0 to 1) does not exceed; zero if there are none.</summary>
    public double PercentileMicros(double share)
    {
        long wanted = (long)Math.Ceiling(share * Total);
        long seen = 0;
        for (int value = 0; value < _counts.Length && wanted > 0; value++)
        {
            seen += _counts[value];
            if (seen >= wanted)
                return value;
        }

        return 0;
    }
}
