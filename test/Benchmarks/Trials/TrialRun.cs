using LoopBridge.Benchmarks.CommandLine;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What one round of a trial works with.</summary>
/// <param name="Options">How long, and on which driver.</param>
/// <param name="LeftFirst">Which side begins. It changes with each round.</param>
/// <param name="Stop">Fires when the user gives up.</param>
internal sealed record TrialRun(BenchmarkOptions Options, bool LeftFirst, CancellationToken Stop);
