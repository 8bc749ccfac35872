using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks;

/// <summary>What must be there before anything is built or started.</summary>
internal static class Requirements
{
    public static void Check(Selection selection)
    {
        if (!OperatingSystem.IsLinux())
            throw new BenchmarkException("The benchmarks read /proc and drive epoll: they run on Linux only.");

        IEnumerable<(string Name, Tool? Tool)> all =
            [.. selection.Scenarios.Select(scenario => (scenario.Name, scenario.Tool)), .. selection.Trials.Select(trial => (trial.Name, trial.Tool))];
        foreach (IGrouping<Tool?, string> users in all.GroupBy(user => user.Tool, user => user.Name))
        {
            if (users.Key is { IsInstalled: false } tool)
            {
                throw new BenchmarkException(
                    $"{tool.Program} is not on the PATH, and {string.Join(", ", users)} needs it. Install the package '{tool.Package}'" +
                    $" (apt-get install {tool.Package}), or choose others with --only.");
            }
        }
    }
}
