using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What the layers cost: the load of <c>echo</c> on a reactor of each stack.</summary>
internal sealed class StackEchoTrial : ITrial
{
    private const string Base = "R/L";

    /// <summary>What the connections come to that the trace begins with; one for each message would be 1.</summary>
    private const double MostOverhead = 0.05;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(0.05);
    private static readonly TimeSpan Tracing = TimeSpan.FromSeconds(1);

    private static readonly (string Stack, double Least)[] Others = [("R", 0.95), ("R/L/R", 0.85)];
    private static readonly string[] Stacks = [Base, .. Others.Select(other => other.Stack)];

    private static readonly EchoScenario Load = new("stack-echo");

    public string Name => Load.Name;

    public string Title => "echo by a reactor on layers";

    public string Description
        => "the load of echo on reactors without a host: one on a native loop, the native one, and one on a loop on a native reactor. The"
            + " last two are compared with the first. Sockets belong to loops: where the reactor stands on none, there is one on it for"
            + " them. And, under strace for a second, how many system calls a message takes, and how many of them register or wake";

    public string Left => Base;

    public string Right => "stack";

    public Tool? Tool => Tool.Strace;

    public IReadOnlyList<Figure> Figures { get; } =
    [
        .. Others.SelectMany(IEnumerable<Figure> (other) =>
        [
            new Figure(PerCpuSecond(other.Stack), "#,0", Mark.AtLeast(other.Least)),
            new Figure(P99(other.Stack), "#,0"),
            new Figure(Calls(other.Stack), "0.00"),
        ]),
        .. Stacks.Select(stack => new Figure(Overhead(stack), "0.00", Mark.AtMost(MostOverhead))),
    ];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        SideBySide servers = await SideBySide.StartAsync(
            run, Stacks.Select(stack => (StackEchoServer.App, StackEchoServer.Variant(stack, run.Options))), Load.Endpoint).ConfigureAwait(false);
        await using (servers.ConfigureAwait(false))
        {
            IReadOnlyDictionary<string, SideBySide.Turns> turns = await servers.MeasureAsync(Load, Slice, Connecting).ConfigureAwait(false);
            IReadOnlyDictionary<string, SideBySide.CallsOfOperation> calls = await servers.TraceAsync(Load, Tracing).ConfigureAwait(false);
            return
            [
                .. Others.SelectMany(IEnumerable<Reading> (other) =>
                [
                    new Reading(PerCpuSecond(other.Stack), turns[Base].PerCpuSecond, turns[other.Stack].PerCpuSecond),
                    new Reading(P99(other.Stack), turns[Base].P99Micros, turns[other.Stack].P99Micros),
                    new Reading(Calls(other.Stack), calls[Base].All, calls[other.Stack].All),
                ]),
                .. Stacks.Select(stack => new Reading(Overhead(stack), null, calls[stack].Overhead)),
            ];
        }
    }

    private static string PerCpuSecond(string stack) => $"messages/CPU s, {stack}";

    private static string P99(string stack) => $"p99 µs, {stack}";

    private static string Calls(string stack) => $"calls/message, {stack}";

    private static string Overhead(string stack) => $"ctl+wake/message, {stack}";
}
