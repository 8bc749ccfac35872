using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks;

/// <summary>Runs the rounds of all scenarios on both sides.</summary>
internal sealed class ScenarioMeasurer(IReadOnlyList<IScenario> scenarios, ServerApp app, BenchmarkOptions options, CancellationToken stop)
{
    private readonly Variant _baseline = Variant.Baseline(options);
    private readonly Variant _candidate = Variant.LoopBridge(options);

    /// <summary>What runs on either side, for the reader.</summary>
    public IEnumerable<string> Sides => [.. new[] { _baseline, _candidate }.Select(side => $"{side}, {Path.GetFileName(app.Assembly)}")];

    public async Task<IReadOnlyList<Measurement>> MeasureAllAsync()
    {
        var measurer = new Measurer(app, options, stop);
        var measurements = new List<Measurement>();
        for (int round = 1; round <= options.Rounds; round++)
        {
            // A machine that warms up or is throttled favours whoever comes first: so both sides do, in turn.
            Variant[] order = round % 2 == 1 ? [_baseline, _candidate] : [_candidate, _baseline];
            foreach (IScenario scenario in scenarios)
            {
                foreach (Variant variant in order)
                {
                    Measurement measurement = await measurer.MeasureAsync(scenario, variant, round).ConfigureAwait(false);
                    measurements.Add(measurement);
                    Progress.Say(Line(measurement, scenario));
                }
            }
        }

        return measurements;
    }

    public void Print(IReadOnlyList<Measurement> measurements, TextWriter output)
    {
        new ResultTable(measurements, _baseline.Name, _candidate.Name).Print(scenarios, output);
        output.WriteLine();
    }

    private static string Text(FormattableString line) => FormattableString.Invariant(line);

    private string Line(Measurement m, IScenario scenario)
    {
        string what = Text($"round {m.Round}/{options.Rounds}  {m.Scenario,-10} {m.Variant,-10}");
        return m.Failure is not null
            ? $"{what}  FAILED: {m.Failure}"
            : what
                + Text($" {m.Throughput,12:#,0} {scenario.Unit}/s {m.PerCpuSecond,12:#,0} per CPU s")
                + Text($"   p99 {m.P99Micros,7:#,0} µs{Disturbance.Of(m.OthersCores)}");
    }
}
