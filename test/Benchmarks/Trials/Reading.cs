namespace LoopBridge.Benchmarks.Trials;

/// <summary>One figure of one round.</summary>
/// <param name="Figure">Its title.</param>
/// <param name="Left">What it is compared with; null where the figure stands for itself.</param>
/// <param name="Right">What is measured.</param>
internal sealed record Reading(string Figure, double? Left, double Right);
