using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Scenarios;

namespace LoopBridge.Benchmarks;

/// <summary>What must be there before anything is built or started.</summary>
internal static class Requirements
{
    public static void Check(IReadOnlyList<IScenario> scenarios)
    {
        if (!OperatingSystem.IsLinux())
            throw new BenchmarkException("The benchmarks read /proc and drive epoll: they run on Linux only.");

        foreach (IGrouping<Tool?, IScenario> users in scenarios.GroupBy(scenario => scenario.Tool))
        {
            if (users.Key is { IsInstalled: false } tool)
            {
                string names = string.Join(", ", users.Select(scenario => scenario.Name));
                throw new BenchmarkException(
                    $"{tool.Program} is not on the PATH, and {names} needs it. Install the package '{tool.Package}'" +
                    $" (apt-get install {tool.Package}), or choose other scenarios with --only.");
            }
        }
    }
}
