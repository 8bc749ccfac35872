namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>All scenarios, in the order they are run and printed.</summary>
internal static class ScenarioList
{
    public static IReadOnlyList<IScenario> All { get; } =
    [
        new PlaintextScenario(),
        new PipelinedScenario(),
        new EchoScenario("echo", "the same protocol over the pipes of stock sockets", isAgainstConnectionHandler: false),
        new EchoScenario("handler", "a plain connection handler on the pipes of stock sockets", isAgainstConnectionHandler: true),
    ];

    /// <summary>Those named, or all if none is.</summary>
    public static IReadOnlyList<IScenario> Select(IReadOnlyList<string> names)
    {
        string? unknown = names.FirstOrDefault(name => All.All(scenario => scenario.Name != name));
        if (unknown is not null)
            throw new BenchmarkException($"There is no scenario '{unknown}'; there are {string.Join(", ", All.Select(s => s.Name))}.");

        return names.Count == 0 ? All : [.. All.Where(scenario => names.Contains(scenario.Name))];
    }
}
