using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks;

/// <summary>
/// One measurement on a server of its own: what one scenario leaves behind in memory or in compiled code is not the next one's.
/// </summary>
internal sealed class Measurer(ServerApp app, BenchmarkOptions options, CancellationToken stop)
{
    public async Task<Measurement> MeasureAsync(IScenario scenario, Variant variant, int round)
    {
        var measurement = new Measurement { Scenario = scenario.Name, Variant = variant.Name, Round = round };
        (ServerApp side, Variant arguments) = await SideAsync(scenario, variant).ConfigureAwait(false);
        ServerProcess server = await ServerLauncher.StartAsync(side, arguments, scenario.Endpoint, stop).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            try
            {
                measurement = await LoadAsync(scenario, server, measurement).ConfigureAwait(false);
            }
            catch (MeasurementException e)
            {
                // The load could not be made, or the server died under it. The next measurement may still be sound.
                measurement = measurement with { Failure = e.Message };
            }

            return measurement.Failure is null || server.Output.Length == 0
                ? measurement
                : measurement with { Failure = $"{measurement.Failure}\nThe server printed:\n{server.Output}" };
        }
    }

    private Task<(ServerApp App, Variant Variant)> SideAsync(IScenario scenario, Variant variant)
        => variant.IsStock && scenario.StandIn is { } standIn ? standIn.PrepareAsync(options, stop) : Task.FromResult((app, variant));

    private async Task<Measurement> LoadAsync(IScenario scenario, ServerProcess server, Measurement measurement)
    {
        var cpu = new CpuMeter(server.Id);
        var context = new ScenarioContext(
            server.Ports, cpu, TimeSpan.FromSeconds(options.WarmUpSeconds), TimeSpan.FromSeconds(options.Seconds), stop);
        LoadResult load = await scenario.RunAsync(context).ConfigureAwait(false);
        return measurement.With(load, ProcFile.PeakMemoryMiB(server.Id), cpu.OthersSeconds);
    }
}
