namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>
/// What a stretch of time came to. Latencies are of what was answered in it, and of what still waited at its end, by its age.
/// </summary>
internal sealed record Phase(long Operations, double Seconds, double P50Micros, double P99Micros)
{
    public double PerSecond => Operations / Seconds;
}
