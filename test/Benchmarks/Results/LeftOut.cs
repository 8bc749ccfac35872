namespace LoopBridge.Benchmarks.Results;

/// <summary>What was not measured although it was asked for, and why.</summary>
internal sealed record LeftOut(string Name, string Reason);
