using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>Runs the rounds of all trials.</summary>
internal static class TrialMeasurer
{
    public static async Task<IReadOnlyList<TrialResult>> MeasureAllAsync(
        IReadOnlyList<ITrial> trials, BenchmarkOptions options, CancellationToken stop)
    {
        var results = new List<TrialResult>();
        for (int round = 1; round <= options.Rounds; round++)
        {
            foreach (ITrial trial in trials)
            {
                var run = new TrialRun(options, LeftFirst: round % 2 == 1, stop);
                TrialResult result = await MeasureAsync(trial, round, run).ConfigureAwait(false);
                results.Add(result);
                Progress.Say($"round {round}/{options.Rounds}  {trial.Name,-12} {Outcome(result)}");
            }
        }

        return results;
    }

    private static async Task<TrialResult> MeasureAsync(ITrial trial, int round, TrialRun run)
    {
        var result = new TrialResult { Trial = trial.Name, Round = round };
        var others = OthersMeter.Start();
        try
        {
            IReadOnlyList<Reading> readings = await trial.MeasureAsync(run).ConfigureAwait(false);
            return result with { Readings = readings, OthersCores = others.Cores() };
        }
        catch (MeasurementException e)
        {
            // This round does not count. The next may still be sound.
            return result with { Failure = e.Message };
        }
    }

    private static string Outcome(TrialResult result)
    {
        if (result.Failure is not null)
            return $"FAILED: {result.Failure}";

        IEnumerable<string> figures = result.Readings.Select(reading => reading.Left is { } left
            ? FormattableString.Invariant($"{reading.Figure} {reading.Right / left:0.00}")
            : FormattableString.Invariant($"{reading.Figure} {reading.Right:0.##}"));
        return string.Join(", ", figures) + Disturbance.Of(result.OthersCores);
    }
}
