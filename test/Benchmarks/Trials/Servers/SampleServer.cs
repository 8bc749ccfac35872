using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>What the trials of whole servers have in common: the sample, one side after the other, each fresh.</summary>
internal static class SampleServer
{
    /// <summary>Measures each side on a server of its own, in the run's order.</summary>
    /// <param name="run">The round.</param>
    /// <param name="sides">What is compared; the order of rounds alternates.</param>
    /// <param name="measure">What is done with each.</param>
    /// <param name="withProbe">Whether the servers can be asked about their memory.</param>
    public static async Task<IReadOnlyDictionary<string, T>> MeasureEachAsync<T>(
        TrialRun run, IReadOnlyList<Variant> sides, Func<ServerProcess, Task<T>> measure, bool withProbe = false)
    {
        ServerApp app = await SampleApp.PrepareAsync(run.Options, run.Stop).ConfigureAwait(false);
        var results = new Dictionary<string, T>();
        foreach (Variant side in run.LeftFirst ? sides : sides.Reverse())
        {
            ServerProcess server = await ServerLauncher.StartAsync(app, side, EndpointPorts.Web, run.Stop, withProbe).ConfigureAwait(false);
            await using (server.ConfigureAwait(false))
            {
                try
                {
                    results[side.Name] = await measure(server).ConfigureAwait(false);
                }
                catch (MeasurementException e)
                {
                    // Which side, and what it had to say about it, before its output is gone.
                    throw new MeasurementException($"{side.Name}: {e.Message}\nThe server printed:\n{server.Output}");
                }
            }
        }

        return results;
    }

    /// <summary>Both sides of a scenario.</summary>
    public static IReadOnlyList<Variant> Sides(TrialRun run) => [Variant.Baseline(run.Options), Variant.LoopBridge(run.Options)];

    /// <summary>One figure of both.</summary>
    public static Reading Compare<T>(Figure figure, TrialRun run, IReadOnlyDictionary<string, T> results, Func<T, double> of)
    {
        IReadOnlyList<Variant> sides = Sides(run);
        return new Reading(figure.Title, of(results[sides[0].Name]), of(results[sides[1].Name]));
    }
}
