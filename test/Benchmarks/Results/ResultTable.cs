using System.Globalization;
using LoopBridge.Benchmarks.Scenarios;

namespace LoopBridge.Benchmarks.Results;

/// <summary>
/// Medians of both sides and their ratio, and beside it the smallest and largest ratio of any one round: two figures taken seconds
/// apart on the same machine, so that their spread tells how far the ratio can be trusted.
/// </summary>
internal sealed class ResultTable(IReadOnlyList<Measurement> measurements, string baseline, string candidate)
{
    public void Print(IEnumerable<IScenario> scenarios, TextWriter output)
    {
        output.WriteLine(Row("scenario", "figure", baseline, candidate, "ratio", "per round"));
        output.WriteLine(new string('-', Row("", "", "", "", "", "per round    ").Length));
        foreach (IScenario scenario in scenarios)
        {
            string name = scenario.Name;
            foreach (Figure figure in Figure.All)
            {
                Print(output, name, scenario, figure);
                name = "";
            }
        }

        output.WriteLine();
        output.WriteLine($"Ratio = {candidate} / {baseline}. For latency and memory, less is better. Failed measurements are left out.");
    }

    private static string Row(string scenario, string figure, string left, string right, string ratio, string range)
        => $"{scenario,-12}{figure,-18}{left,14}{right,14}{ratio,8}   {range}";

    private static string Text(double value, string format)
        => double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture) : "-";

    private void Print(TextWriter output, string name, IScenario scenario, Figure figure)
    {
        Dictionary<int, double> left = Values(scenario, baseline, figure);
        Dictionary<int, double> right = Values(scenario, candidate, figure);
        double[] perRound = [.. left.Keys.Intersect(right.Keys).Select(round => right[round] / left[round]).Order()];
        string range = perRound.Length == 0 ? "-" : $"{Text(perRound[0], "0.00")} - {Text(perRound[^1], "0.00")}";

        double leftMedian = Statistics.Median(left.Values);
        double rightMedian = Statistics.Median(right.Values);
        string leftText = Text(leftMedian, figure.Format);
        string rightText = Text(rightMedian, figure.Format);
        output.WriteLine(Row(name, figure.Title(scenario.Unit), leftText, rightText, Text(rightMedian / leftMedian, "0.00"), range));
    }

    private Dictionary<int, double> Values(IScenario scenario, string variant, Figure figure)
        => measurements
            .Where(m => m.Scenario == scenario.Name && m.Variant == variant && m.Failure is null)
            .ToDictionary(m => m.Round, figure.Of);
}
