using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>
/// One kind of load. An implementation is one file, listed in <see cref="ScenarioList"/>; it gets a fresh server that already listens,
/// and does its warm-up and its one measurement.
/// </summary>
internal interface IScenario
{
    /// <summary>As <c>--only</c> and the table call it.</summary>
    string Name { get; }

    /// <summary>What is done, in one line, for the reader of the table.</summary>
    string Description { get; }

    /// <summary>What is counted, in the plural.</summary>
    string Unit { get; }

    /// <summary>The server's endpoint it talks to.</summary>
    string Endpoint { get; }

    /// <summary>The program it needs, or null if it brings its own load.</summary>
    Tool? Tool { get; }

    /// <summary>
    /// Whether the stock side is a plain connection handler on pipes, in place of the sample with its handlers over stock sockets.
    /// </summary>
    bool IsAgainstConnectionHandler => false;

    Task<LoadResult> RunAsync(ScenarioContext context);
}
