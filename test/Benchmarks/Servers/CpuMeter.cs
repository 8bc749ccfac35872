namespace LoopBridge.Benchmarks.Servers;

/// <summary>The processor time a server spends between two moments.</summary>
internal sealed class CpuMeter(int pid)
{
    private double _start;

    public void Start() => _start = ProcFile.CpuSeconds(pid);

    /// <summary>Seconds of processor time since <see cref="Start"/>.</summary>
    public double Stop() => ProcFile.CpuSeconds(pid) - _start;
}
