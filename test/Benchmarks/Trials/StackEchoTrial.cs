using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What the layers cost: the load of <c>echo</c> on a reactor of each stack.</summary>
/// <remarks>
/// All servers live side by side and take turns at the load, half a second each, so that a neighbour meets them all alike. Whoever does not
/// have the load sleeps.
/// </remarks>
internal sealed class StackEchoTrial : ITrial
{
    private const string Base = "R/L";

    /// <summary>Of load for each server at a time.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(0.5);

    /// <summary>At the beginning of each slice, for the new connections.</summary>
    private static readonly TimeSpan Connecting = TimeSpan.FromSeconds(0.05);

    private static readonly (string Stack, double Least)[] Others = [("R", 0.95), ("R/L/R", 0.85)];

    private static readonly string[] Stacks = [Base, .. Others.Select(other => other.Stack)];

    /// <summary>What the connections come to, that each second begins with; a message of its own would be 1.</summary>
    private const double MostOverhead = 0.05;

    private static readonly EchoScenario Load = new("stack-echo", "", isAgainstConnectionHandler: false);

    public string Name => Load.Name;

    public string Description
        => "the load of echo on reactors without a host: the native one, one on a native loop, one on a loop on a native reactor. Each is"
            + " compared with the one on a native loop. Sockets belong to loops: where the reactor stands on none, there is one on it for"
            + " them. And, under strace for a second, how many system calls a message takes, how many of them register or wake";

    public string Left => Base;

    public string Right => "stack";

    public IReadOnlyList<TrialFigure> Figures { get; } =
    [
        .. Others.SelectMany(IEnumerable<TrialFigure> (other) =>
        [
            new TrialFigure(PerCpuSecond(other.Stack), "#,0", Mark.AtLeast(other.Least)),
            new TrialFigure(P99(other.Stack), "#,0"),
            new TrialFigure(Calls(other.Stack), "0.00"),
        ]),
        .. Stacks.Select(stack => new TrialFigure(Overhead(stack), "0.00", Mark.AtMost(MostOverhead))),
    ];

    public Tool? Tool => Tool.Strace;

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        string[] stacks = run.LeftFirst ? Stacks : [.. Stacks.Reverse()];
        var servers = new List<(string Stack, ServerProcess Server)>();
        try
        {
            foreach (string stack in stacks)
            {
                Variant variant = StackEchoServer.Variant(stack, run.Options);
                servers.Add((stack, await ServerLauncher.StartAsync(StackEchoServer.App, variant, Load.Endpoint, run.Stop).ConfigureAwait(false)));
            }

            var sums = stacks.ToDictionary(stack => stack, _ => new List<LoadResult>());
            foreach ((string stack, ServerProcess server) in servers)
                await LoadAsync(stack, server, TimeSpan.FromSeconds(run.Options.WarmUpSeconds), run.Stop).ConfigureAwait(false);

            for (int slice = 0; slice < run.Options.Seconds / Slice.TotalSeconds; slice++)
            {
                foreach ((string stack, ServerProcess server) in servers)
                    sums[stack].Add(await LoadAsync(stack, server, Slice, run.Stop).ConfigureAwait(false));
            }

            var calls = new Dictionary<string, CallsOfMessage>();
            foreach ((string stack, ServerProcess server) in servers)
                calls[stack] = await TraceAsync(stack, server, run.Stop).ConfigureAwait(false);

            return
            [
                .. Others.SelectMany(other => Compare(other.Stack, sums[Base], sums[other.Stack])),
                .. Others.Select(other => new Reading(Calls(other.Stack), calls[Base].All, calls[other.Stack].All)),
                .. Stacks.Select(stack => new Reading(Overhead(stack), null, calls[stack].Overhead)),
            ];
        }
        finally
        {
            foreach ((_, ServerProcess server) in servers)
                await server.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static string PerCpuSecond(string stack) => $"messages/CPU s, {stack}";

    private static string Calls(string stack) => $"calls/message, {stack}";

    private static string Overhead(string stack) => $"ctl+wake/message, {stack}";

    private static string P99(string stack) => $"p99 µs, {stack}";

    private static IEnumerable<Reading> Compare(string stack, List<LoadResult> left, List<LoadResult> right) =>
    [
        new Reading(PerCpuSecond(stack), PerCpuSecond(left), PerCpuSecond(right)),
        new Reading(P99(stack), left.Average(load => load.P99Micros), right.Average(load => load.P99Micros)),
    ];

    private static double PerCpuSecond(List<LoadResult> loads) => loads.Sum(load => load.Operations) / loads.Sum(load => load.CpuSeconds);

    private static async Task<LoadResult> LoadAsync(string stack, ServerProcess server, TimeSpan time, CancellationToken stop)
    {
        var context = new ScenarioContext(server.Ports, new CpuMeter(server.Id), Connecting, time, stop);
        LoadResult load = await Load.RunAsync(context).ConfigureAwait(false);
        return load.Errors == 0 && load.Operations > 0
            ? load
            : throw new MeasurementException($"{stack}: {load.Errors} errors ({load.ErrorDetail})\nThe server printed:\n{server.Output}");
    }

    private static async Task<CallsOfMessage> TraceAsync(string stack, ServerProcess server, CancellationToken stop)
    {
        LoadResult? load = null;
        SystemCallSummary calls = await SystemCallSummary
            .TakeAsync(server.Id, async () => load = await LoadAsync(stack, server, TimeSpan.FromSeconds(1), stop).ConfigureAwait(false), stop)
            .ConfigureAwait(false);
        double messages = load!.Operations;
        return new CallsOfMessage(calls.Total / messages, (calls["epoll_ctl"] + calls["write"]) / messages);
    }

    /// <param name="All">System calls of any kind.</param>
    /// <param name="Overhead">Those that change what is waited for, and those that wake a loop.</param>
    private sealed record CallsOfMessage(double All, double Overhead);
}
