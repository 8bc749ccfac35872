namespace LoopBridge.Benchmarks.Trials;

/// <summary>One trial, one round.</summary>
internal sealed record TrialResult
{
    public required string Trial { get; init; }

    public required int Round { get; init; }

    public IReadOnlyList<Reading> Readings { get; init; } = [];

    /// <summary>Cores that strangers kept busy meanwhile: with more than a fraction of one, the figures say less.</summary>
    public double OthersCores { get; init; }

    /// <summary>Why the figures do not count, or null if they do.</summary>
    public string? Failure { get; init; }
}
