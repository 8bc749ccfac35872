using System.Globalization;
using System.Net;
using System.Text;

namespace LoopBridge.Benchmarks.Results;

/// <summary>
/// The ratios as horizontal bars, for a page: the line at 1 is what each is compared with, the tick is the mark. It brings its own
/// background, since a page may be dark where the reader's system is light.
/// </summary>
internal sealed class SvgChart
{
    private const int Width = 800;
    private const int BarLeft = 330;
    private const int BarRight = 730; // what remains is for the numbers
    private const int BarHeight = 16;
    private const int LineHeight = 24;
    private const int NoteHeight = 18;
    private const int Margin = 16;

    private const string Style =
        """
        <style>
          .back { fill: #ffffff } text { fill: #1f2328; font: 13px system-ui, -apple-system, "Segoe UI", sans-serif }
          .head { font-weight: 600 } .number { text-anchor: end } .small { font-size: 11px; fill: #59636e }
          .good { fill: #2da44e } .bad { fill: #cf5b3a } .other { fill: #8c959f }
          .one { stroke: #1f2328; stroke-width: 1.5 } .mark { stroke: #1f2328; stroke-width: 2 }
          @media (prefers-color-scheme: dark) {
            .back { fill: #0d1117 } text { fill: #e6edf3 } .small { fill: #9198a1 }
            .good { fill: #3fb950 } .bad { fill: #e5734f } .other { fill: #6e7681 }
            .one, .mark { stroke: #e6edf3 }
          }
        </style>
        """;

    private readonly StringBuilder _body = new();
    private int _y = Margin;

    public static string Of(Report report)
    {
        var chart = new SvgChart();
        chart.Add("Per server CPU second, beside stock sockets = 1 (more is better)", report, ChartGroup.MoreIsBetter);
        chart.Add("Per server CPU second, beside bare epoll in C = 1 (more is better)", report, ChartGroup.BareEpoll);
        chart.Add("Beside stock sockets = 1 (less is better)", report, ChartGroup.LessIsBetter);
        chart.Add("Requests per second kept while handlers block one loop; without them = 1", report, ChartGroup.Kept);
        chart.Note("Bar: median of the rounds. Tick: what it has to reach.");
        chart.Note($"On {report.Environment.Summary}.");
        return chart.Finished();
    }

    private static string Number(double value, string format = "0.#") => value.ToString(format, CultureInfo.InvariantCulture);

    // Better, worse, or neither by more than a repeated run moves it.
    private static string ClassOf(double ratio, ChartGroup group)
    {
        double better = group == ChartGroup.LessIsBetter ? 1 / ratio : ratio;
        return group == ChartGroup.Kept ? (ratio >= 0.7 ? "good" : "bad") : better >= 1.03 ? "good" : better <= 0.97 ? "bad" : "other";
    }

    private void Add(string heading, Report report, ChartGroup group)
    {
        Row[] rows = [.. report.Rows.Where(row => row.Chart == group && row.Ratio is not null)];
        if (rows.Length == 0)
            return;

        double longest = Math.Max(rows.Max(row => Math.Max(row.Ratio!.Value, row.Mark is { IsOfValue: false } mark ? mark.Limit : 0)), 1.1);
        double scale = (BarRight - BarLeft) / longest;
        Text(Margin, _y + 14, "head", heading);
        _y += LineHeight + 4;
        int top = _y;
        foreach (Row row in rows)
            Add(row, scale);

        double one = BarLeft + scale;
        Line("one", one, top - 4, _y - 4);
        _y += LineHeight / 2;
    }

    private void Add(Row row, double scale)
    {
        double ratio = row.Ratio!.Value;
        Text(Margin, _y + 13, "", row.ChartLabel ?? row.Work);
        Bar(ClassOf(ratio, row.Chart), ratio * scale);
        if (row.Mark is { IsOfValue: false } mark)
            Line("mark", BarLeft + (mark.Limit * scale), _y - 1, _y + BarHeight + 1);
        Text(Width - Margin, _y + 13, "number", Number(ratio, "0.00") + "×");
        _y += LineHeight;
    }

    private void Note(string text)
    {
        Text(Margin, _y + 8, "small", text);
        _y += NoteHeight;
    }

    private void Bar(string style, double width)
        => _body.Append(CultureInfo.InvariantCulture,
            $"<rect class=\"{style}\" x=\"{BarLeft}\" y=\"{_y}\" width=\"{Number(width)}\" height=\"{BarHeight}\" rx=\"2\"/>\n");

    private void Text(double x, double y, string style, string text)
    {
        string attribute = style.Length == 0 ? "" : $" class=\"{style}\"";
        _body.Append($"<text{attribute} x=\"{Number(x)}\" y=\"{Number(y)}\">{WebUtility.HtmlEncode(text)}</text>\n");
    }

    private void Line(string style, double x, double top, double bottom)
        => _body.Append(CultureInfo.InvariantCulture,
            $"<line class=\"{style}\" x1=\"{Number(x)}\" x2=\"{Number(x)}\" y1=\"{Number(top)}\" y2=\"{Number(bottom)}\"/>\n");

    private string Finished()
        => $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {_y}\" width=\"{Width}\" height=\"{_y}\" role=\"img\""
            + $" aria-label=\"Ratios of LoopBridge to stock sockets\">\n{Style}\n"
            + $"<rect class=\"back\" width=\"{Width}\" height=\"{_y}\" rx=\"6\"/>\n{_body}</svg>\n";
}
