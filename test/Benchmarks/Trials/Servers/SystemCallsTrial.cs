using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>
/// How often a request makes the server ask the kernel for something. Counted by perf(1), which does not slow the server down, so that
/// requests meet in a turn as often as they do without it; by strace(1) where there is no perf or it may not.
/// </summary>
internal sealed class SystemCallsTrial : ITrial
{
    private const double Most = 2.2;

    private static readonly Figure All = new("system calls/request", "0.00", Mark.ValueAtMost(Most));

    public string Name => "system-calls";

    public string Title => $"system calls under HTTP/1.1 plaintext, {WrkRequest.CommonConnections} connections";

    public string Description
        => "the load of plaintext, once more: every system call of every thread of the server, by perf stat (else strace -c -f), per request";

    public string Left => Variant.Stock;

    public string Right => "LoopBridge";

    public Tool? Tool => !Tool.Wrk.IsInstalled ? Tool.Wrk : Tool.Perf.IsInstalled ? Tool.Perf : Tool.Strace;

    public IReadOnlyList<Figure> Figures { get; } =
        [All, .. SystemCallGroups.All.Select(group => new Figure(group.Title, "0.00") { IsDetail = true })];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> calls = await SampleServer
            .MeasureEachAsync(run, SampleServer.Sides(run), server => MeasureAsync(server, run)).ConfigureAwait(false);
        return [.. Figures.Select(figure => SampleServer.Compare(figure, run, calls, each => each[figure.Title]))];
    }

    private static async Task<IReadOnlyDictionary<string, double>> MeasureAsync(ServerProcess server, TrialRun run)
    {
        var wrk = new WrkRun(new WrkRequest(new Uri(server.Ports.UrlOf(EndpointPorts.Web), "/plaintext")));
        await wrk.RunAsync(TimeSpan.FromSeconds(Math.Max(run.Options.WarmUpSeconds, 1)), run.Stop).ConfigureAwait(false);
        var time = TimeSpan.FromSeconds(run.Options.Seconds);
        (long requests, Func<string, long> count) = await PerfAsync(wrk, server.Id, time, run.Stop).ConfigureAwait(false)
            ?? await StraceAsync(wrk, server.Id, time, run.Stop).ConfigureAwait(false);
        var perRequest = SystemCallGroups.All.ToDictionary(group => group.Title, group => (double)group.Calls.Sum(count) / requests);
        perRequest[All.Title] = (double)count(SystemCallGroups.Total) / requests;
        return perRequest;
    }

    private static async Task<(long Requests, Func<string, long> Count)?> PerfAsync(
        WrkRun wrk, int pid, TimeSpan time, CancellationToken stop)
    {
        if (!Tool.Perf.IsInstalled)
            return null;

        using var perf = new PerfCounts(pid);
        WrkReport report;
        try
        {
            report = await wrk.RunAsync(perf.Command, time, stop).ConfigureAwait(false);
        }
        catch (MeasurementException) when (!perf.HasCounted)
        {
            // It may not look at the kernel's trace points (perf_event_paranoid): strace may.
            return null;
        }

        IReadOnlyDictionary<string, long> counts = perf.Read();
        return (report.Requests, call => counts.GetValueOrDefault(call));
    }

    private static async Task<(long Requests, Func<string, long> Count)> StraceAsync(
        WrkRun wrk, int pid, TimeSpan time, CancellationToken stop)
    {
        if (!Tool.Strace.IsInstalled)
            throw new MeasurementException("perf may not count here (perf_event_paranoid): install the package 'strace'.");

        WrkReport? report = null;
        SystemCallSummary summary = await SystemCallSummary
            .TakeAsync(pid, async () => report = await wrk.RunAsync(time, stop).ConfigureAwait(false), stop).ConfigureAwait(false);
        return (report!.Requests, call => call == SystemCallGroups.Total ? summary.Total : summary[call]);
    }
}
