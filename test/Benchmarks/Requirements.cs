using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks;

/// <summary>What must be there before anything is built or started.</summary>
internal static class Requirements
{
    /// <param name="selection">What is to be measured.</param>
    /// <param name="isByName">
    /// Whether the user named each: then all of it, or nothing. Else what lacks its program is left out, and says so.
    /// </param>
    public static (Selection Selection, IReadOnlyList<LeftOut> LeftOut) Check(Selection selection, bool isByName)
    {
        if (!OperatingSystem.IsLinux())
            throw new BenchmarkException("The benchmarks read /proc and drive epoll: they run on Linux only.");

        IEnumerable<(string Name, Tool? Tool)> all =
            [.. selection.Scenarios.Select(each => (each.Name, each.Tool)), .. selection.Trials.Select(each => (each.Name, each.Tool))];
        LeftOut[] leftOut = [.. all.Where(each => IsMissing(each.Tool)).Select(each => new LeftOut(each.Name, Advice(each.Tool!)))];
        var remaining = new Selection(
            [.. selection.Scenarios.Where(each => !IsMissing(each.Tool))], [.. selection.Trials.Where(each => !IsMissing(each.Tool))]);
        if (leftOut.Length > 0 && (isByName || remaining.Count == 0))
        {
            IEnumerable<string> reasons = leftOut.Select(left => $"{left.Name}: {left.Reason}");
            throw new BenchmarkException(string.Join('\n', reasons.Append("Or choose others with --only.")));
        }

        foreach (LeftOut left in leftOut)
            Progress.Say($"{left.Name} is left out. {left.Reason}");
        return (remaining, leftOut);
    }

    private static bool IsMissing(Tool? tool) => tool is { IsInstalled: false };

    private static string Advice(Tool tool)
        => $"{tool.Program} is not on the PATH: install the package '{tool.Package}' (apt-get install {tool.Package}).";
}
