using System.Diagnostics;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>
/// The cores that strangers keep busy while we and our children work. Asked once the children have ended, because only then are their
/// times counted as ours.
/// </summary>
internal readonly struct OthersMeter
{
    private readonly long _start;
    private readonly double _othersAtStart;

    private OthersMeter(long start, double othersAtStart)
    {
        _start = start;
        _othersAtStart = othersAtStart;
    }

    public static OthersMeter Start() => new(Stopwatch.GetTimestamp(), OthersSeconds());

    public double Cores() => Math.Max(OthersSeconds() - _othersAtStart, 0) / Stopwatch.GetElapsedTime(_start).TotalSeconds;

    private static double OthersSeconds() => ProcFile.MachineCpuSeconds() - ProcFile.CpuSecondsWithChildren(Environment.ProcessId);
}
