namespace LoopBridge.Benchmarks.Results;

/// <summary>One line per scenario in the table: what it is called, where it is read, how it is written.</summary>
internal sealed record Figure(Func<string, string> Title, Func<Measurement, double> Of, string Format)
{
    public static IReadOnlyList<Figure> All { get; } =
    [
        new(unit => $"{unit}/s", m => m.Throughput, "#,0"),
        new(unit => $"{unit}/CPU s", m => m.PerCpuSecond, "#,0"),
        new(_ => "p50 µs", m => m.P50Micros, "#,0"),
        new(_ => "p99 µs", m => m.P99Micros, "#,0"),
        new(_ => "peak memory MiB", m => m.PeakMemoryMiB, "0.0"),
    ];
}
