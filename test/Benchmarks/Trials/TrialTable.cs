using System.Globalization;
using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>
/// For each trial the medians of both sides, their ratio, its range over the rounds, and whether the mark is met: by the median of the
/// rounds' ratios, each of which compares what was measured seconds apart.
/// </summary>
internal sealed class TrialTable(IReadOnlyList<TrialResult> results)
{
    private const string None = "-";

    /// <returns>How many marks were missed.</returns>
    public int Print(IEnumerable<ITrial> trials, TextWriter output)
    {
        int missed = 0;
        foreach (ITrial trial in trials)
        {
            string header = Row("trial", "figure", trial.Left, trial.Right, "ratio", "per round", "mark");
            output.WriteLine(header);
            output.WriteLine(new string('-', header.Length + "   missed".Length));
            string name = trial.Name;
            foreach (TrialFigure figure in trial.Figures)
            {
                missed += Print(output, name, trial, figure) ? 0 : 1;
                name = "";
            }

            output.WriteLine();
        }

        return missed;
    }

    private static string Row(string trial, string figure, string left, string right, string ratio, string range, string mark)
        => $"{trial,-12}{figure,-32}{left,14}{right,14}{ratio,8}   {range,-15}{mark,-7}";

    private static string Text(double value, string format)
        => double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : None;

    private bool Print(TextWriter output, string name, ITrial trial, TrialFigure figure)
    {
        Reading[] readings = [.. results
            .Where(result => result.Trial == trial.Name && result.Failure is null)
            .SelectMany(result => result.Readings)
            .Where(reading => reading.Figure == figure.Title)];
        bool isAlone = readings.Length > 0 && readings[0].Left is null;
        double[] compared = [.. readings.Select(reading => reading.Left is { } left ? reading.Right / left : reading.Right).Order()];
        double median = Statistics.Median(compared);

        string left = isAlone ? None : Text(Statistics.Median(readings.Select(reading => reading.Left ?? double.NaN)), figure.Format);
        string right = Text(Statistics.Median(readings.Select(reading => reading.Right)), figure.Format);
        string format = isAlone ? figure.Format : "0.00";
        string range = compared.Length == 0 ? None : $"{Text(compared[0], format)} - {Text(compared[^1], format)}";
        bool isMet = figure.Mark?.IsMetBy(median) ?? true;
        string verdict = figure.Mark is null ? "" : isMet ? "  met" : "  MISSED";
        output.WriteLine(Row(name, figure.Title, left, right, isAlone ? None : Text(median, "0.00"), range, figure.Mark?.ToString() ?? "") + verdict);
        return isMet;
    }
}
