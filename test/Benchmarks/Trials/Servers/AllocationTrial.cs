using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Servers.Probing;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>What a request allocates, all in all: what stock sockets allocate less than we would be ours.</summary>
internal sealed class AllocationTrial : ITrial
{
    /// <summary>Bytes that the connections and the probe come to, spread over the requests.</summary>
    private const double Tolerance = 1;

    private static readonly PlaintextScenario Load = new();
    private static readonly Figure PerRequest = new("bytes/request", "0.0");
    private static readonly Figure Difference = new("bytes/request, stock minus ours", "0.0", Mark.AtLeast(-Tolerance));

    public string Name => "allocated";

    public string Title => "allocated under HTTP/1.1 plaintext, 64 connections";

    public string Description
        => "the load of plaintext: bytes that the whole process allocates meanwhile, by the runtime's own count, for each request";

    public string Left => Variant.Stock;

    public string Right => "LoopBridge";

    public Tool? Tool => Load.Tool;

    public IReadOnlyList<Figure> Figures { get; } = [PerRequest, Difference];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        IReadOnlyDictionary<string, double> bytes = await SampleServer
            .MeasureEachAsync(run, SampleServer.Sides(run), server => MeasureAsync(server, run), withProbe: true).ConfigureAwait(false);
        Reading perRequest = SampleServer.Compare(PerRequest, run, bytes, each => each);
        return [perRequest, new Reading(Difference.Title, null, perRequest.Left!.Value - perRequest.Right)];
    }

    private static async Task<double> MeasureAsync(ServerProcess server, TrialRun run)
    {
        ServerProbe probe = server.Probe();
        await LoadAsync(server, run, run.Options.WarmUpSeconds).ConfigureAwait(false);
        long before = await probe.AllocatedAsync(run.Stop).ConfigureAwait(false);
        LoadResult load = await LoadAsync(server, run, run.Options.Seconds).ConfigureAwait(false);
        long after = await probe.AllocatedAsync(run.Stop).ConfigureAwait(false);
        return (double)(after - before) / load.Operations;
    }

    private static async Task<LoadResult> LoadAsync(ServerProcess server, TrialRun run, int seconds)
    {
        var time = TimeSpan.FromSeconds(Math.Max(seconds, 1));
        var context = new ScenarioContext(server.Ports, new CpuMeter(server.Id), TimeSpan.Zero, time, run.Stop);
        LoadResult load = await Load.RunAsync(context).ConfigureAwait(false);
        return load is { Errors: 0, Operations: > 0 } ? load : throw new MeasurementException($"{load.Errors} errors ({load.ErrorDetail})");
    }
}
