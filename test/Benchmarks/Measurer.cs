using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks;

/// <summary>One measurement on a server of its own: what one scenario leaves behind in memory or in compiled code is not the next one's.</summary>
internal sealed class Measurer(ServerApp app, BenchmarkOptions options, CancellationToken stop)
{
    public async Task<Measurement> MeasureAsync(IScenario scenario, Variant variant, int round)
    {
        ServerProcess server = await ServerLauncher.StartAsync(app, variant, scenario.Endpoint, stop).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            try
            {
                var warmUp = TimeSpan.FromSeconds(options.WarmUpSeconds);
                var measure = TimeSpan.FromSeconds(options.Seconds);
                var context = new ScenarioContext(server.Ports, new CpuMeter(server.Id), warmUp, measure, stop);
                LoadResult load = await scenario.RunAsync(context).ConfigureAwait(false);
                return Measurement.From(scenario, variant.Name, round, load, ProcFile.PeakMemoryMiB(server.Id));
            }
            catch (Exception e) when (!stop.IsCancellationRequested && (e is MeasurementException || server.HasExited))
            {
                // The load could not be made, or the server died under it (then /proc has nothing left to read).
                string reason = server.HasExited ? $"the server ended; it printed:\n{server.Output}" : e.Message;
                return new Measurement { Scenario = scenario.Name, Variant = variant.Name, Round = round, Failure = reason };
            }
        }
    }
}
