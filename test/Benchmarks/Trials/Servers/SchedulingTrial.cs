using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>What the protection against handlers that block costs those that do not.</summary>
internal sealed class SchedulingTrial : ITrial
{
    private const string Inline = "Inline";
    private const string Adaptive = "Adaptive";

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1); // wrk takes whole seconds
    private static readonly PlaintextScenario Load = new();
    private static readonly Figure PerCpuSecond = new("requests/CPU s", "#,0", Mark.AtLeast(0.97));
    private static readonly Figure P99 = new("p99 µs", "#,0");

    public string Name => "scheduling";

    public string Title => $"plaintext with Scheduling={Adaptive}";

    public string Description
        => $"the load of plaintext on the sample with LoopBridge:Scheduling={Adaptive} and with {Inline}, side by side in turns of a second";

    public string Left => Inline;

    public string Right => Adaptive;

    public Tool? Tool => Load.Tool;

    public IReadOnlyList<Figure> Figures { get; } = [PerCpuSecond, P99];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        ServerApp app = await SampleApp.PrepareAsync(run.Options, run.Stop).ConfigureAwait(false);
        IEnumerable<string> arguments = Variant.LoopBridge(run.Options with { Scheduling = null }).Arguments;
        var sides = new[] { Left, Right }.Select(side => (app, new Variant(side, [.. arguments, $"--LoopBridge:Scheduling={side}"])));
        SideBySide servers = await SideBySide.StartAsync(run, sides, Load.Endpoint).ConfigureAwait(false);
        await using (servers.ConfigureAwait(false))
        {
            IReadOnlyDictionary<string, SideBySide.Turns> turns =
                await servers.MeasureAsync(Load, Slice, connecting: TimeSpan.Zero).ConfigureAwait(false);
            return
            [
                new Reading(PerCpuSecond.Title, turns[Left].PerCpuSecond, turns[Right].PerCpuSecond),
                new Reading(P99.Title, turns[Left].P99Micros, turns[Right].P99Micros),
            ];
        }
    }
}
