using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Trials;

namespace LoopBridge.Benchmarks;

/// <summary>What is to be measured.</summary>
internal sealed record Selection(IReadOnlyList<IScenario> Scenarios, IReadOnlyList<ITrial> Trials)
{
    /// <summary>Those named, or all if none is.</summary>
    public static Selection Of(IReadOnlyList<string> names)
    {
        string[] known = [.. ScenarioList.All.Select(scenario => scenario.Name), .. TrialList.All.Select(trial => trial.Name)];
        string? unknown = names.FirstOrDefault(name => !known.Contains(name));
        if (unknown is not null)
            throw new BenchmarkException($"There is no scenario or trial '{unknown}'; there are {string.Join(", ", known)}.");

        return names.Count == 0
            ? new Selection(ScenarioList.All, TrialList.All)
            : new Selection(
                [.. ScenarioList.All.Where(scenario => names.Contains(scenario.Name))],
                [.. TrialList.All.Where(trial => names.Contains(trial.Name))]);
    }
}
