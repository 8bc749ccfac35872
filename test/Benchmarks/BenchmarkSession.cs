using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks;

/// <summary>All of it, from the checks to the table.</summary>
internal static class BenchmarkSession
{
    public static async Task<int> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        IReadOnlyList<IScenario> scenarios = ScenarioList.Select(options.Only);
        Requirements.Check(scenarios);
        ServerApp app = await SampleApp.PrepareAsync(options, stop).ConfigureAwait(false);
        Variant baseline = Variant.Baseline(options);
        Variant candidate = Variant.LoopBridge(options);
        // Read before the load, so that the machine's load average is not our own.
        var environs = Environs.Read(app, baseline, candidate);

        var measurer = new Measurer(app, options, stop);
        IReadOnlyList<Measurement> measurements =
            await MeasureAllAsync(scenarios, baseline, candidate, measurer, options.Rounds).ConfigureAwait(false);

        Print(environs, scenarios, new ResultTable(measurements, baseline.Name, candidate.Name));
        Disturbance.Warn(measurements, Console.Out);
        if (options.JsonFile is not null)
            await new JsonReport(environs, measurements).WriteAsync(options.JsonFile, stop).ConfigureAwait(false);
        return ExitCodeFor(measurements);
    }

    private static async Task<IReadOnlyList<Measurement>> MeasureAllAsync(
        IReadOnlyList<IScenario> scenarios, Variant baseline, Variant candidate, Measurer measurer, int rounds)
    {
        var measurements = new List<Measurement>();
        for (int round = 1; round <= rounds; round++)
        {
            // A machine that warms up or is throttled favours whoever comes first: so both sides do, in turn.
            Variant[] order = round % 2 == 1 ? [baseline, candidate] : [candidate, baseline];
            foreach (IScenario scenario in scenarios)
            {
                foreach (Variant variant in order)
                {
                    Measurement measurement = await measurer.MeasureAsync(scenario, variant, round).ConfigureAwait(false);
                    measurements.Add(measurement);
                    Progress.Say(Line(measurement, scenario, rounds));
                }
            }
        }

        return measurements;
    }

    private static string Line(Measurement m, IScenario scenario, int rounds)
    {
        string what = Text($"round {m.Round}/{rounds}  {m.Scenario,-10} {m.Variant,-10}");
        return m.Failure is not null
            ? $"{what}  FAILED: {m.Failure}"
            : what
                + Text($" {m.Throughput,12:#,0} {scenario.Unit}/s {m.PerCpuSecond,12:#,0} per CPU s")
                + Text($"   p99 {m.P99Micros,7:#,0} µs{Disturbance.Of(m)}");
    }

    private static string Text(FormattableString line) => FormattableString.Invariant(line);

    private static void Print(Environs environs, IReadOnlyList<IScenario> scenarios, ResultTable table)
    {
        Console.WriteLine();
        environs.Print(Console.Out);
        foreach (IScenario scenario in scenarios)
            Console.WriteLine($"{scenario.Name}: {scenario.Description}");
        Console.WriteLine();
        table.Print(scenarios, Console.Out);
    }

    private static int ExitCodeFor(IReadOnlyList<Measurement> measurements)
    {
        int failed = measurements.Count(m => m.Failure is not null);
        if (failed == 0)
            return ExitCodes.Success;

        Console.Error.WriteLine($"{failed} of {measurements.Count} measurements FAILED; see above.");
        return ExitCodes.MeasurementFailed;
    }
}
