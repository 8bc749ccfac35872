using System.Diagnostics;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>How long the child of a trial measures, and how it alternates.</summary>
internal sealed record TrialWork(TimeSpan Warm, TimeSpan Measure, bool LeftFirst, LoopDriver Driver)
{
    /// <summary>
    /// Both sides in turn, in slices of some milliseconds, so that a neighbour, a collection or a slow clock meets both alike; first to
    /// warm up, then to count.
    /// </summary>
    /// <param name="share">How much of the time, for trials that alternate more than once.</param>
    /// <param name="left">One slice of one side.</param>
    /// <param name="right">One slice of the other.</param>
    public Slices<T> Alternate<T>(double share, Func<T> left, Func<T> right)
    {
        RunFor(Warm * share, left, right);
        return RunFor(Measure * share, left, right);
    }

    private Slices<T> RunFor<T>(TimeSpan time, Func<T> left, Func<T> right)
    {
        var slices = new Slices<T>();
        long start = Stopwatch.GetTimestamp();
        do
        {
            if (LeftFirst)
                slices.Left.Add(left());
            slices.Right.Add(right());
            if (!LeftFirst)
                slices.Left.Add(left());
        }
        while (Stopwatch.GetElapsedTime(start) < time);

        return slices;
    }
}
