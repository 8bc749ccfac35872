using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What the slices of both sides of a trial measured.</summary>
internal sealed class Slices<T>
{
    public List<T> Left { get; } = [];

    public List<T> Right { get; } = [];

    /// <summary>The medians of one value of the slices: one that a neighbour disturbed does not move them.</summary>
    public Reading Medians(string figure, Func<T, double> value)
        => new(figure, Statistics.Median(Left.Select(value)), Statistics.Median(Right.Select(value)));
}
