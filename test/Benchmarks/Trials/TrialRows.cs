using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>The table's lines of the trials.</summary>
internal static class TrialRows
{
    public static IEnumerable<Row> Of(IEnumerable<ITrial> trials, IReadOnlyList<TrialResult> results)
        => from trial in trials from figure in trial.Figures select RowOf(trial, figure, results);

    private static Row RowOf(ITrial trial, Figure figure, IReadOnlyList<TrialResult> results)
    {
        Reading[] readings = [.. results
            .Where(result => result.Trial == trial.Name && result.Failure is null)
            .SelectMany(result => result.Readings)
            .Where(reading => reading.Figure == figure.Title)];
        bool isAlone = readings.Length > 0 && readings[0].Left is null;
        var row = new Row
        {
            Name = trial.Name,
            Work = trial.Title,
            Beside = isAlone || trial.Left.Length == 0 ? "" : trial.Left,
            Figure = figure.Title,
            Format = figure.Format,
            Mark = figure.Mark,
            Chart = figure.Chart,
            ChartLabel = figure.ChartLabel,
            IsDetail = figure.IsDetail,
        };
        return row.With([.. readings.Select(reading => (reading.Left, reading.Right))]);
    }
}
