namespace LoopBridge.Benchmarks.Servers;

/// <summary>The processor time that a server spends between two moments, and that strangers take from it meanwhile.</summary>
internal sealed class CpuMeter(int pid)
{
    private double _serverAtStart;
    private double _othersAtStart;

    /// <summary>Whose time it is.</summary>
    public int ProcessId => pid;

    /// <summary>
    /// Seconds of processor time of all that is neither the server nor we and our load generator. Its error is some hundredths of what was
    /// measured, since the kernel counts a machine's time in ticks and a process's exactly.
    /// </summary>
    public double OthersSeconds { get; private set; }

    public void Start()
    {
        _othersAtStart = Others();
        _serverAtStart = ProcFile.CpuSeconds(pid);
    }

    /// <summary>The server's seconds of processor time since <see cref="Start"/>.</summary>
    public double Stop()
    {
        double server = ProcFile.CpuSeconds(pid) - _serverAtStart;
        OthersSeconds = Math.Max(Others() - _othersAtStart, 0);
        return server;
    }

    private double Others()
        => ProcFile.MachineCpuSeconds() - ProcFile.CpuSeconds(pid) - ProcFile.CpuSecondsWithChildren(Environment.ProcessId);
}
