namespace LoopBridge.Benchmarks.Results;

/// <summary>A figure of a server under load: one that every measurement holds.</summary>
internal sealed record LoadFigure : Figure
{
    private LoadFigure(string title, Func<Measurement, double> of, string format, Mark? mark)
        : base(title, format, mark)
        => Of = of;

    public Func<Measurement, double> Of { get; }

    public static LoadFigure PerSecond(string unit, Mark? mark = null) => new($"{unit}/s", m => m.Throughput, "#,0", mark);

    public static LoadFigure PerCpuSecond(string unit, Mark? mark = null)
        => new($"{unit}/CPU s", m => m.PerCpuSecond, "#,0", mark) { Chart = ChartGroup.MoreIsBetter };

    public static LoadFigure P50() => new("p50 µs", m => m.P50Micros, "#,0", null) { IsDetail = true };

    public static LoadFigure P99(Mark? mark = null) => new("p99 µs", m => m.P99Micros, "#,0", mark);

    public static LoadFigure PeakMemory() => new("peak memory MiB", m => m.PeakMemoryMiB, "0.0", null) { IsDetail = true };

    /// <summary>Those of any closed loop of requests.</summary>
    public static IReadOnlyList<LoadFigure> Common(string unit, Mark? perCpuSecond = null, Mark? perSecond = null, Mark? p99 = null)
        => [PerCpuSecond(unit, perCpuSecond), PerSecond(unit, perSecond), P50(), P99(p99), PeakMemory()];

    /// <summary>Where latencies say nothing, or the client does not tell them.</summary>
    public static IReadOnlyList<LoadFigure> WithoutLatency(string unit, Mark? perCpuSecond = null)
        => [PerCpuSecond(unit, perCpuSecond), PerSecond(unit), PeakMemory()];
}
