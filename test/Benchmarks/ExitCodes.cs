namespace LoopBridge.Benchmarks;

/// <summary>What the command tells a script that runs it.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>At least one measurement saw errors; its figures do not count.</summary>
    public const int MeasurementFailed = 1;

    /// <summary>Nothing could be measured: wrong options, a missing tool, a build that fails.</summary>
    public const int CannotRun = 2;

    /// <summary>All was measured, and a figure did not reach its mark.</summary>
    public const int MarkMissed = 3;

    /// <summary>The shells' convention for a process ended by SIGINT: 128 + 2.</summary>
    public const int Interrupted = 130;
}
