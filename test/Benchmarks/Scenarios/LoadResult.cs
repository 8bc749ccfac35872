namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>What one measurement saw from the client's side, and the server's processor time meanwhile.</summary>
internal sealed record LoadResult
{
    /// <summary>The unit of <see cref="InMegabytes"/>.</summary>
    public const string Megabytes = "MB";

    /// <summary>Requests answered, messages echoed.</summary>
    public required long Operations { get; init; }

    public required double Seconds { get; init; }

    public required double CpuSeconds { get; init; }

    public required double P50Micros { get; init; }

    public required double P99Micros { get; init; }

    /// <summary>Everything that did not go as it should. A measurement that has any does not count.</summary>
    public required long Errors { get; init; }

    /// <summary>What the errors were, for the reader.</summary>
    public string ErrorDetail { get; init; } = "";

    /// <summary>The same in millions of bytes.</summary>
    public LoadResult InMegabytes(int bytesOfOperation) => this with { Operations = Operations * bytesOfOperation / 1_000_000 };
}
