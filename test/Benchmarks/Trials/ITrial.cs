using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>
/// Something that the loop contract gives a limit for. Where a <see cref="Scenarios.IScenario"/> compares two servers under the same load,
/// a trial says itself what its two sides are, and each of its figures may have a mark to reach.
/// </summary>
internal interface ITrial
{
    /// <summary>As <c>--only</c> calls it.</summary>
    string Name { get; }

    /// <summary>What the table calls it, in some words.</summary>
    string Title { get; }

    /// <summary>What exactly is compared, for the reader of the table.</summary>
    string Description { get; }

    /// <summary>What is compared with; empty if the figures stand for themselves.</summary>
    string Left { get; }

    /// <summary>What is measured.</summary>
    string Right { get; }

    IReadOnlyList<Figure> Figures { get; }

    /// <summary>The program it needs, or null.</summary>
    Tool? Tool => null;

    /// <summary>One round: both sides, in turn.</summary>
    /// <exception cref="MeasurementException">It could not be measured; the next round may be.</exception>
    Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run);
}
