using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>
/// Servers that live side by side and take turns at the load, a second or less each, so that a neighbour meets them all alike: on a busy
/// machine their ratios repeat within some hundredths, where those of measurements minutes apart do not. Whoever does not have the load
/// sleeps.
/// </summary>
internal sealed class SideBySide : IAsyncDisposable
{
    private readonly List<(string Name, ServerProcess Server)> _servers = [];
    private readonly TrialRun _run;

    private SideBySide(TrialRun run) => _run = run;

    public static async Task<SideBySide> StartAsync(TrialRun run, IEnumerable<(ServerApp App, Variant Variant)> servers, string endpoint)
    {
        var all = new SideBySide(run);
        try
        {
            foreach ((ServerApp app, Variant variant) in run.LeftFirst ? servers : servers.Reverse())
                all._servers.Add((variant.Name, await ServerLauncher.StartAsync(app, variant, endpoint, run.Stop).ConfigureAwait(false)));
            return all;
        }
        catch
        {
            // Not ours to explain, but the children must not outlive us.
            await all.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Loads each for the time of the options, in turns of <paramref name="slice"/>, after a warm-up of each in one piece.</summary>
    /// <param name="load">What is done.</param>
    /// <param name="slice">One turn.</param>
    /// <param name="connecting">How much at the beginning of each turn does not count, for the new connections.</param>
    /// <returns>The turns of each.</returns>
    public async Task<IReadOnlyDictionary<string, Turns>> MeasureAsync(IScenario load, TimeSpan slice, TimeSpan connecting)
    {
        if (_run.Options.WarmUpSeconds > 0)
            await LoadAllAsync(load, connecting, TimeSpan.FromSeconds(_run.Options.WarmUpSeconds), null).ConfigureAwait(false);

        var turns = _servers.ToDictionary(server => server.Name, _ => new Turns());
        for (TimeSpan done = TimeSpan.Zero; done < TimeSpan.FromSeconds(_run.Options.Seconds); done += slice)
            await LoadAllAsync(load, connecting, slice, turns).ConfigureAwait(false);
        return turns;
    }

    /// <summary>What system calls each makes under one turn of the load, for each operation.</summary>
    public async Task<IReadOnlyDictionary<string, CallsOfOperation>> TraceAsync(IScenario load, TimeSpan time)
    {
        var calls = new Dictionary<string, CallsOfOperation>();
        foreach ((string name, ServerProcess server) in _servers)
        {
            LoadResult? result = null;
            SystemCallSummary summary = await SystemCallSummary.TakeAsync(
                server.Id,
                async () => result = await LoadAsync(load, name, server, TimeSpan.Zero, time).ConfigureAwait(false),
                _run.Stop).ConfigureAwait(false);
            double operations = result!.Operations;
            calls[name] = new CallsOfOperation(summary.Total / operations, (summary["epoll_ctl"] + summary["write"]) / operations);
        }

        return calls;
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, ServerProcess server) in _servers)
            await server.DisposeAsync().ConfigureAwait(false);
    }

    private async Task LoadAllAsync(IScenario load, TimeSpan connecting, TimeSpan time, Dictionary<string, Turns>? turns)
    {
        foreach ((string name, ServerProcess server) in _servers)
        {
            LoadResult result = await LoadAsync(load, name, server, connecting, time).ConfigureAwait(false);
            turns?[name].Add(result);
        }
    }

    private async Task<LoadResult> LoadAsync(IScenario load, string name, ServerProcess server, TimeSpan warmUp, TimeSpan time)
    {
        var context = new ScenarioContext(server.Ports, new CpuMeter(server.Id), warmUp, time, _run.Stop);
        LoadResult result = await load.RunAsync(context).ConfigureAwait(false);
        return result.Errors == 0 && result.Operations > 0
            ? result
            : throw new MeasurementException($"{name}: {result.Errors} errors ({result.ErrorDetail})\nThe server printed:\n{server.Output}");
    }

    /// <summary>What one server came to in all its turns.</summary>
    internal sealed class Turns
    {
        private readonly List<LoadResult> _results = [];

        public double PerCpuSecond => _results.Sum(result => result.Operations) / _results.Sum(result => result.CpuSeconds);

        /// <summary>Of the turns' own, the mean: no turn is long enough for more.</summary>
        public double P99Micros => _results.Average(result => result.P99Micros);

        public void Add(LoadResult result) => _results.Add(result);
    }

    /// <param name="All">System calls of any kind.</param>
    /// <param name="Overhead">Those that change what is waited for, and those that wake a loop.</param>
    internal sealed record CallsOfOperation(double All, double Overhead);
}
