using LoopBridge.Benchmarks.Scenarios;

namespace LoopBridge.Benchmarks.Results;

/// <summary>One row of raw results: one scenario, one side, one round.</summary>
internal sealed record Measurement
{
    public required string Scenario { get; init; }

    public required string Variant { get; init; }

    public required int Round { get; init; }

    /// <summary>Operations per second.</summary>
    public double Throughput { get; init; }

    /// <summary>Operations per second of the server's processor time.</summary>
    public double PerCpuSecond { get; init; }

    public double P50Micros { get; init; }

    public double P99Micros { get; init; }

    /// <summary>The most the server ever had resident, from its start to the measurement's end.</summary>
    public double PeakMemoryMiB { get; init; }

    public long Operations { get; init; }

    public double Seconds { get; init; }

    public double CpuSeconds { get; init; }

    /// <summary>Cores that strangers kept busy meanwhile: with more than a fraction of one, the figures say less.</summary>
    public double OthersCores { get; init; }

    public long Errors { get; init; }

    /// <summary>Why the figures do not count, or null if they do.</summary>
    public string? Failure { get; init; }

    /// <summary>The same with the figures of a load that was made.</summary>
    public Measurement With(LoadResult load, double peakMemoryMiB, double othersSeconds) => this with
    {
        Throughput = load.Operations / load.Seconds,
        PerCpuSecond = load.CpuSeconds > 0 ? load.Operations / load.CpuSeconds : 0,
        P50Micros = load.P50Micros,
        P99Micros = load.P99Micros,
        PeakMemoryMiB = peakMemoryMiB,
        Operations = load.Operations,
        Seconds = load.Seconds,
        CpuSeconds = load.CpuSeconds,
        OthersCores = othersSeconds / load.Seconds,
        Errors = load.Errors,
        Failure = FailureOf(load),
    };

    private static string? FailureOf(LoadResult load) => load switch
    {
        { Errors: > 0 } => $"{load.Errors} errors ({load.ErrorDetail})",
        { Operations: 0 } => "nothing was answered",
        _ => null,
    };
}
