using System.Text;

namespace LoopBridge.Benchmarks.Results;

/// <summary>The table as a page shows it, with what it ran on.</summary>
internal static class MarkdownTable
{
    public static string Of(Report report)
    {
        var text = new StringBuilder();
        Row[] rows = [.. report.Rows.Where(row => !row.IsDetail)];
        int rounds = rows.Length == 0 ? 0 : rows.Max(row => row.Rounds);
        text.Append($"On {report.Environment.Summary}. Medians of {rounds} round{(rounds == 1 ? "" : "s")}.\n\n");
        text.Append("| work | figure | stock sockets | LoopBridge | ratio | of the rounds | mark | |\n");
        text.Append("|---|---|---:|---:|---:|---|---|---|\n");
        foreach (IGrouping<(string Name, string Work), Row> work in rows.GroupBy(row => (row.Name, row.Work)))
        {
            string beside = work.Select(row => row.Beside).FirstOrDefault(name => name.Length > 0, Servers.Variant.Stock);
            string title = beside == Servers.Variant.Stock ? work.Key.Work : $"{work.Key.Work}; in place of stock sockets: {beside}";
            foreach (Row row in work)
            {
                string[] cells = [title, row.Figure, row.BesideText, row.ValueText, row.RatioText, row.Spread, row.MarkText, Verdict(row)];
                text.Append($"| {string.Join(" | ", cells)} |\n");
                title = "";
            }
        }

        foreach (LeftOut left in report.LeftOut)
            text.Append($"\n{left.Name} was not measured: {left.Reason}\n");

        return text.ToString();
    }

    private static string Verdict(Row row) => row.IsMet switch
    {
        null => "",
        true => "met",
        false => "**missed**",
    };
}
