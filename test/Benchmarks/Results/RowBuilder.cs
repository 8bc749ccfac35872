namespace LoopBridge.Benchmarks.Results;

/// <summary>Makes the table's lines of what the rounds measured.</summary>
internal static class RowBuilder
{
    /// <param name="row">What is known before: names, figure, format, mark.</param>
    /// <param name="rounds">Of each round both sides; the left one is null where the figure stands for itself.</param>
    public static Row With(this Row row, IReadOnlyCollection<(double? Left, double Right)> rounds)
    {
        double[] ratios = Finite(rounds.Where(round => round.Left is not null).Select(round => round.Right / round.Left!.Value));
        double[] values = Finite(rounds.Select(round => round.Right));
        double[] spread = rounds.Any(round => round.Left is not null) ? ratios : values;
        Row filled = row with
        {
            Value = Median(values),
            BesideValue = Median(Finite(rounds.Select(round => round.Left ?? double.NaN))),
            Ratio = Median(ratios),
            Least = spread.Length == 0 ? null : spread.Min(),
            Most = spread.Length == 0 ? null : spread.Max(),
            Rounds = rounds.Count,
        };
        return row.Mark is null ? filled : filled with { IsMet = row.Mark.IsMetBy(Judged(filled, row.Mark) ?? double.NaN) };
    }

    private static double? Judged(Row row, Mark mark) => mark.IsOfValue || row.Beside.Length == 0 ? row.Value : row.Ratio;

    // A server that answered nothing at all has no latency, and nothing is a multiple of it.
    private static double[] Finite(IEnumerable<double> values) => [.. values.Where(double.IsFinite)];

    private static double? Median(double[] values) => values.Length == 0 ? null : Statistics.Median(values);
}
