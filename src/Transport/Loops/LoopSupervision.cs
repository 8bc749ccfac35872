namespace LoopBridge.Loops;

/// <summary>How the watchdog of a group goes about its work. The values are those of the options of the same names.</summary>
internal sealed record LoopSupervision
{
    internal static LoopSupervision Default { get; } = new();

    /// <summary>
    /// How long a guest may have its loop's thread before another thread goes on with the loop. Defaults to 20 ms: longer than any handler
    /// that does not block, shorter than what a person notices.
    /// </summary>
    internal TimeSpan OverstayLimit { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long anything else may have the loop before it is logged. Defaults to 250 ms.</summary>
    internal TimeSpan StallLimit { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How many threads there may be beside those of the loops. Defaults to 256.</summary>
    internal int MaxWorkerThreads { get; init; } = 256;

    /// <summary>How long one of them waits for work before it ends. Defaults to what <see cref="ElasticThreads"/> has.</summary>
    internal TimeSpan? WorkerIdleTime { get; init; }

    /// <summary>Tells whether a processor is idle. The group disposes of what it makes.</summary>
    internal Func<IdleProcessors> MakeProcessors { get; init; } = static () => new IdleProcessors();

    /// <summary>
    /// How often the watchdog looks while a loop is busy: four times within the shorter limit, but no more than once in a millisecond and
    /// no less than each 5 ms.
    /// </summary>
    internal TimeSpan Interval
    {
        get
        {
            double quarter = Math.Min(OverstayLimit.TotalMilliseconds, StallLimit.TotalMilliseconds) / 4;
            return TimeSpan.FromMilliseconds(Math.Clamp(quarter, 1, 5));
        }
    }
}
