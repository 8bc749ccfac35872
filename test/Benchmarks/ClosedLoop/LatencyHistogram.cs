using System.Diagnostics;
using System.Numerics;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>
/// Counts times in buckets whose width grows with the value, so that recording costs an increment and the error stays below 1/64
/// whatever the size (the layout of HdrHistogram). Values are Stopwatch ticks.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBucketBits = 6;
    private const int SubBuckets = 1 << SubBucketBits;

    private readonly long[] _counts = new long[(64 - SubBucketBits + 1) * SubBuckets];

    public long Count { get; private set; }

    public void Record(long ticks)
    {
        _counts[IndexOf(ticks)]++;
        Count++;
    }

    public void Clear()
    {
        Array.Clear(_counts);
        Count = 0;
    }

    /// <summary>The value in microseconds that this share (0 to 1) does not exceed; zero if there are none.</summary>
    public double PercentileMicros(double share)
    {
        long wanted = (long)Math.Ceiling(share * Count);
        long seen = 0;
        for (int i = 0; i < _counts.Length && wanted > 0; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
                return LowerBoundOf(i) * 1e6 / Stopwatch.Frequency;
        }

        return 0;
    }

    // Values below SubBuckets have a bucket each; above, the six bits after the leading one choose within the octave.
    private static int IndexOf(long value)
    {
        if (value < SubBuckets)
            return (int)Math.Max(value, 0);
        int shift = BitOperations.Log2((ulong)value) - SubBucketBits;
        return ((shift + 1) << SubBucketBits) + (int)(value >> shift) - SubBuckets;
    }

    private static long LowerBoundOf(int index)
    {
        int shift = (index >> SubBucketBits) - 1;
        return shift < 0 ? index : (long)(SubBuckets + (index & (SubBuckets - 1))) << shift;
    }
}
