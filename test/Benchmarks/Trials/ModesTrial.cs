using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>The sample in each of the two modes: whichever engine is native, both styles must serve alike.</summary>
internal sealed class ModesTrial : ITrial
{
    private const double Least = 0.95;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1); // wrk takes whole seconds

    private static readonly (IScenario Load, TimeSpan Connecting)[] Loads =
    [
        (new EchoScenario("echo"), TimeSpan.FromSeconds(0.05)),
        (new PlaintextScenario(), TimeSpan.Zero),
        (new TogetherScenario(), TimeSpan.Zero),
    ];

    public string Name => "modes";

    public string Title => "the sample in the other mode";

    public string Description
        => "the sample with LoopBridge:Mode=LoopOnReactor against the same with ReactorOnLoop, under the loads of echo (a reactor protocol)"
            + ", of plaintext, and of both at once";

    public string Left => nameof(LoopBridgeMode.ReactorOnLoop);

    public string Right => nameof(LoopBridgeMode.LoopOnReactor);

    public Tool? Tool => Tool.Wrk;

    public IReadOnlyList<Figure> Figures { get; } =
    [
        .. Loads.SelectMany(IEnumerable<Figure> (each) =>
            [new Figure(PerCpuSecond(each.Load), "#,0", Mark.AtLeast(Least)), new Figure(P99(each.Load), "#,0")]),
    ];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        ServerApp app = await SampleApp.PrepareAsync(run.Options, run.Stop).ConfigureAwait(false);
        IEnumerable<string> arguments = Variant.LoopBridge(run.Options).Arguments;
        var readings = new List<Reading>();
        foreach ((IScenario load, TimeSpan connecting) in Loads)
        {
            SideBySide servers = await SideBySide.StartAsync(
                run, new[] { Left, Right }.Select(mode => (app, new Variant(mode, [.. arguments, $"--LoopBridge:Mode={mode}"]))), load.Endpoint)
                .ConfigureAwait(false);
            await using (servers.ConfigureAwait(false))
            {
                IReadOnlyDictionary<string, SideBySide.Turns> turns = await servers.MeasureAsync(load, Slice, connecting).ConfigureAwait(false);
                readings.Add(new Reading(PerCpuSecond(load), turns[Left].PerCpuSecond, turns[Right].PerCpuSecond));
                readings.Add(new Reading(P99(load), turns[Left].P99Micros, turns[Right].P99Micros));
            }
        }

        return readings;
    }

    private static string PerCpuSecond(IScenario load) => $"{load.Name}, {load.Unit}/CPU s";

    private static string P99(IScenario load) => $"{load.Name}, p99 µs";
}
