using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What <c>async</c> code on a stream costs beside callbacks: the same server, load and connections as in <c>echo</c>.</summary>
internal sealed class StreamEchoTrial : ITrial
{
    private const string PerSecond = "messages/s";
    private const string PerCpuSecond = "messages/CPU s";
    private const string P50 = "p50 µs";
    private const string P99 = "p99 µs";

    private static readonly EchoScenario Load = new("stream-echo");

    public string Name => Load.Name;

    public string Title => "echo by a handler on a LoopStream";

    public string Description => "the load of echo on two servers of LoopBridge's: a reactor protocol, and a loop handler that reads and writes a LoopStream";

    public string Left => LoopEchoServer.Reactor;

    public string Right => LoopEchoServer.Stream;

    public IReadOnlyList<Figure> Figures { get; } =
        [new(PerSecond, "#,0"), new(PerCpuSecond, "#,0", Mark.AtLeast(0.85)), new(P50, "#,0"), new(P99, "#,0")];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        LoadResult first = await MeasureAsync(run, run.LeftFirst ? Left : Right).ConfigureAwait(false);
        LoadResult second = await MeasureAsync(run, run.LeftFirst ? Right : Left).ConfigureAwait(false);
        (LoadResult left, LoadResult right) = run.LeftFirst ? (first, second) : (second, first);
        return
        [
            new Reading(PerSecond, left.Operations / left.Seconds, right.Operations / right.Seconds),
            new Reading(PerCpuSecond, left.Operations / left.CpuSeconds, right.Operations / right.CpuSeconds),
            new Reading(P50, left.P50Micros, right.P50Micros),
            new Reading(P99, left.P99Micros, right.P99Micros),
        ];
    }

    private static async Task<LoadResult> MeasureAsync(TrialRun run, string style)
    {
        ServerProcess server = await ServerLauncher
            .StartAsync(LoopEchoServer.App, LoopEchoServer.Variant(style, run.Options), Load.Endpoint, run.Stop).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            var context = new ScenarioContext(
                server.Ports, new CpuMeter(server.Id), TimeSpan.FromSeconds(run.Options.WarmUpSeconds), TimeSpan.FromSeconds(run.Options.Seconds), run.Stop);
            LoadResult load = await Load.RunAsync(context).ConfigureAwait(false);
            return load.Errors == 0 && load.Operations > 0
                ? load
                : throw new MeasurementException($"{style}: {load.Errors} errors ({load.ErrorDetail})\nThe server printed:\n{server.Output}");
        }
    }
}
