namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>What one measurement saw from the client's side, and the server's processor time meanwhile.</summary>
internal sealed record LoadResult
{
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
}
