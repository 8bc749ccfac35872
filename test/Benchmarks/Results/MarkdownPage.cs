namespace LoopBridge.Benchmarks.Results;

/// <summary>Puts a table into a page that says where (a README), or makes a file of it.</summary>
internal static class MarkdownPage
{
    private const string Begin = "<!-- measured: begin -->";
    private const string End = "<!-- measured: end -->";

    /// <exception cref="BenchmarkException">The file is a page that does not say where.</exception>
    public static void Check(string file) => Around(file);

    public static void Write(string file, string table)
    {
        (string before, string after) = Around(file);
        File.WriteAllText(file, before.Length == 0 ? table : $"{before}\n{table.TrimEnd()}\n{after}");
    }

    private static (string Before, string After) Around(string file)
    {
        string page = File.Exists(file) ? File.ReadAllText(file) : "";
        if (page.Length == 0)
            return ("", "");

        int begin = page.IndexOf(Begin, StringComparison.Ordinal);
        int end = page.IndexOf(End, StringComparison.Ordinal);
        return begin >= 0 && end > begin
            ? (page[..(begin + Begin.Length)], page[end..])
            : throw new BenchmarkException($"{file} exists and has no lines '{Begin}' and '{End}' for the table to stand between.");
    }
}
