using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks;

/// <summary>What must be there before anything is built or started.</summary>
internal static class Requirements
{
    /// <param name="selection">What is to be measured.</param>
    /// <param name="isByName">Whether the user named each: then all of it, or nothing. Else what lacks its program is left out, and says so.</param>
    public static (Selection Selection, IReadOnlyList<LeftOut> LeftOut) Check(Selection selection, bool isByName)
    {
        if (!OperatingSystem.IsLinux())
            throw new BenchmarkException("The benchmarks read /proc and drive epoll: they run on Linux only.");

        LeftOut[] leftOut =
        [
            .. selection.Scenarios.Where(scenario => IsMissing(scenario.Tool)).Select(scenario => new LeftOut(scenario.Name, Advice(scenario.Tool!))),
            .. selection.Trials.Where(trial => IsMissing(trial.Tool)).Select(trial => new LeftOut(trial.Name, Advice(trial.Tool!))),
        ];
        var remaining = new Selection(
            [.. selection.Scenarios.Where(scenario => !IsMissing(scenario.Tool))], [.. selection.Trials.Where(trial => !IsMissing(trial.Tool))]);
        if (leftOut.Length > 0 && (isByName || remaining.Count == 0))
            throw new BenchmarkException(string.Join('\n', leftOut.Select(left => $"{left.Name}: {left.Reason}").Append("Or choose others with --only.")));

        foreach (LeftOut left in leftOut)
            Progress.Say($"{left.Name} is left out. {left.Reason}");
        return (remaining, leftOut);
    }

    private static bool IsMissing(Tool? tool) => tool is { IsInstalled: false };

    private static string Advice(Tool tool)
        => $"{tool.Program} is not on the PATH: install the package '{tool.Package}' (apt-get install {tool.Package}).";
}
