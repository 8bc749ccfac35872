using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>
/// One kind of load. An implementation is one file, listed in <see cref="ScenarioList"/>; it gets a fresh server that already listens,
/// and does its warm-up and its one measurement.
/// </summary>
internal interface IScenario
{
    /// <summary>As <c>--only</c> calls it.</summary>
    string Name { get; }

    /// <summary>What the table calls it, in some words.</summary>
    string Title { get; }

    /// <summary>What is done, in one line, for the reader of the table.</summary>
    string Description { get; }

    /// <summary>What is counted, in the plural.</summary>
    string Unit { get; }

    /// <summary>The server's endpoint it talks to.</summary>
    string Endpoint { get; }

    /// <summary>The program it needs, or null if it brings its own load.</summary>
    Tool? Tool { get; }

    /// <summary>What the table tells of it.</summary>
    IReadOnlyList<LoadFigure> Figures { get; }

    /// <summary>What stands in for the sample over stock sockets; null for that itself.</summary>
    StandIn? StandIn => null;

    Task<LoadResult> RunAsync(ScenarioContext context);
}
