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

    /// <summary>The table's lines of what was measured.</summary>
    public IEnumerable<Row> Rows(IReadOnlyList<Measurement> measurements)
        => from scenario in scenarios from figure in scenario.Figures select RowOf(scenario, figure, measurements);

    private static string Text(FormattableString line) => FormattableString.Invariant(line);

    private Row RowOf(IScenario scenario, LoadFigure figure, IReadOnlyList<Measurement> measurements)
    {
        Dictionary<int, double> left = Values(scenario, _baseline, figure, measurements);
        Dictionary<int, double> right = Values(scenario, _candidate, figure, measurements);
        var row = new Row
        {
            Name = scenario.Name,
            Work = scenario.Title,
            Beside = _baseline.IsStock && scenario.StandIn is { } standIn ? standIn.Name : _baseline.Name,
            Figure = figure.Title,
            Format = figure.Format,
            Mark = figure.Mark,
            // Only what is measured against stock sockets belongs on their axis.
            Chart = figure.Chart == ChartGroup.None || scenario.StandIn is null ? figure.Chart : scenario.StandIn.Chart,
            ChartLabel = figure.ChartLabel,
            IsDetail = figure.IsDetail,
        };
        return row.With([.. left.Keys.Intersect(right.Keys).Select(round => ((double?)left[round], right[round]))]);
    }

    private static Dictionary<int, double> Values(
        IScenario scenario, Variant variant, LoadFigure figure, IReadOnlyList<Measurement> measurements)
        => measurements
            .Where(m => m.Scenario == scenario.Name && m.Variant == variant.Name && m.Failure is null)
            .ToDictionary(m => m.Round, figure.Of);

    private string Line(Measurement m, IScenario scenario)
    {
        string what = Text($"round {m.Round}/{options.Rounds}  {m.Scenario,-14} {m.Variant,-10}");
        return m.Failure is not null
            ? $"{what}  FAILED: {m.Failure}"
            : what
                + Text($" {m.Throughput,12:#,0} {scenario.Unit}/s {m.PerCpuSecond,12:#,0} per CPU s")
                + (double.IsNaN(m.P99Micros) ? "" : Text($"   p99 {m.P99Micros,7:#,0} µs"))
                + Disturbance.Of(m.OthersCores);
    }
}
