namespace LoopBridge.Benchmarks.Trials;

/// <summary>One line of a trial in the table.</summary>
/// <param name="Title">What it is called; unique within its trial.</param>
/// <param name="Format">How both sides are written.</param>
/// <param name="Mark">What it has to reach; null if it is told for information.</param>
internal sealed record TrialFigure(string Title, string Format, Mark? Mark = null);
