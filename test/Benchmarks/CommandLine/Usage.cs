using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Trials;

namespace LoopBridge.Benchmarks.CommandLine;

/// <summary>The text of <c>--help</c>.</summary>
internal static class Usage
{
    public static string Text { get; } =
        $"""
        Scenarios run the sample on stock sockets and on LoopBridge alternately; trials measure what the loop's contract sets a mark for.
        Printed are medians and ratios.

          dotnet run -c Release --project test/Benchmarks -- [options]

          --rounds N          measurements of each side per scenario or trial (5)
          --seconds S         length of one measurement (5)
          --warm-up S         load before it, not counted (5)
          --only A,B          scenarios: {string.Join(", ", ScenarioList.All.Select(s => s.Name))};
                              trials: {string.Join(", ", TrialList.All.Select(t => t.Name))} (all)
          --table             only what the README's table shows: all scenarios, and the trials
                              {string.Join(", ", TrialList.OfServers.Select(t => t.Name))}
          --driver D          LoopBridge:Driver of the LoopBridge side and of the trials, e.g. Epoll, Managed
          --scheduling M      LoopBridge:Scheduling of the LoopBridge side, e.g. Adaptive, Inline, ThreadPool
          --loops N           LoopBridge:LoopCount of the LoopBridge side
          --with "args"       more arguments for the LoopBridge side, separated by spaces
          --against "args"    arguments of the baseline in place of stock's (--LoopBridge:Enabled=false)
          --app FILE.dll      run this server in place of samples/WebApp
          --no-build          run the sample as it was last built
          --json FILE         write the table and every single result there
          --markdown FILE     write the table there as Markdown; in a file that exists, between <!-- measured: begin --> and its end
          --svg FILE          draw the ratios there
          --from A,B          measure nothing: show, and write in any of the three forms, what --json wrote in earlier runs

        Exit code: 0; 1 when a measurement saw errors; 2 when nothing could be measured; 3 when a mark was missed; 130 after Ctrl-C.
        """;
}
