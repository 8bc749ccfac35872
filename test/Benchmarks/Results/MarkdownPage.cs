namespace LoopBridge.Benchmarks.Results;

/// <summary>Puts a table into a page that says where (a README), or makes a file of it.</summary>
internal static class MarkdownPage
{
    private const string Begin = "<!-- measured: begin -->";
    private const string End = "<!-- measured: end -->";

    public static async Task WriteAsync(string file, string table, CancellationToken stop)
    {
        string page = File.Exists(file) ? await File.ReadAllTextAsync(file, stop).ConfigureAwait(false) : "";
        int begin = page.IndexOf(Begin, StringComparison.Ordinal);
        int end = page.IndexOf(End, StringComparison.Ordinal);
        if (page.Length > 0 && (begin < 0 || end < begin))
            throw new BenchmarkException($"{file} exists and has no lines '{Begin}' and '{End}' for the table to stand between.");

        string text = page.Length == 0 ? table : $"{page[..(begin + Begin.Length)]}\n{table.TrimEnd()}\n{page[end..]}";
        await File.WriteAllTextAsync(file, text, stop).ConfigureAwait(false);
    }
}
