namespace LoopBridge.Benchmarks.Results;

/// <summary>The one table of a run, for a terminal: each work once, its figures below it.</summary>
internal static class TextTable
{
    private static readonly string Header = Line("", "beside", "LoopBridge", "ratio", "rounds", "mark");

    public static void Print(IEnumerable<Row> rows, IEnumerable<LeftOut> leftOut, TextWriter output)
    {
        output.WriteLine(Header);
        output.WriteLine(new string('-', Header.Length + "     MISSED".Length));
        foreach (IGrouping<(string Name, string Work), Row> work in rows.GroupBy(row => (row.Name, row.Work)))
        {
            // Figures that stand for themselves stand among those that are compared.
            string? beside = work.Select(row => row.Beside).FirstOrDefault(name => name.Length > 0);
            output.WriteLine(beside is null ? $"{work.Key.Name}: {work.Key.Work}" : $"{work.Key.Name}: {work.Key.Work}; beside {beside}");
            foreach (Row row in work)
            {
                string line = Line($"  {row.Figure}", row.BesideText, row.ValueText, row.RatioText, row.Spread, row.MarkText);
                output.WriteLine(line + Verdict(row));
            }
        }

        foreach (LeftOut left in leftOut)
            output.WriteLine($"{left.Name}: not measured. {left.Reason}");

        output.WriteLine();
        output.WriteLine("Medians of the rounds; the ratio is the median of the rounds' own ratios, LoopBridge / beside.");
        output.WriteLine("For latency and memory, less is better. Measurements that failed are left out.");
        output.WriteLine();
    }

    private static string Line(string figure, string beside, string value, string ratio, string spread, string mark)
        => $"{figure,-38}{beside,14}{value,14}{ratio,8}   {spread,-17}{mark,-13}";

    private static string Verdict(Row row) => row.IsMet switch
    {
        null => "",
        true => "met",
        false => "MISSED",
    };
}
