using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Trials;

namespace LoopBridge.Benchmarks;

/// <summary>What is to be measured.</summary>
internal sealed record Selection(IReadOnlyList<IScenario> Scenarios, IReadOnlyList<ITrial> Trials)
{
    /// <summary>Those of the README's table: the servers. The trials of loops and layers have a page of their own.</summary>
    public static IReadOnlyList<string> Table { get; } =
        [.. ScenarioList.All.Select(scenario => scenario.Name), .. TrialList.OfServers.Select(trial => trial.Name)];

    /// <summary>All there is, in the order of the table.</summary>
    private static IReadOnlyList<string> Known { get; } =
        [.. ScenarioList.All.Select(scenario => scenario.Name), .. TrialList.All.Select(trial => trial.Name)];

    public int Count => Scenarios.Count + Trials.Count;

    /// <summary>Where in the table something stands; what is not known any more stands behind.</summary>
    public static int PlaceOf(string name) => Known.TakeWhile(known => known != name).Count();

    /// <summary>Those named, or all if none is.</summary>
    public static Selection Of(BenchmarkOptions options)
    {
        IReadOnlyList<string> names = [.. options.Only, .. options.IsTable ? Table : []];
        string? unknown = names.FirstOrDefault(name => !Known.Contains(name));
        if (unknown is not null)
            throw new BenchmarkException($"There is no scenario or trial '{unknown}'; there are {string.Join(", ", Known)}.");

        return names.Count == 0
            ? new Selection(ScenarioList.All, TrialList.All)
            : new Selection(
                [.. ScenarioList.All.Where(scenario => names.Contains(scenario.Name))],
                [.. TrialList.All.Where(trial => names.Contains(trial.Name))]);
    }
}
