using LoopBridge.Benchmarks.CommandLine;

namespace LoopBridge.Benchmarks.Results;

/// <summary>Where a report goes.</summary>
internal static class OutputFiles
{
    /// <summary>Makes their folders and tells what will not do: before the measuring, whose results would be lost behind it.</summary>
    public static void Prepare(BenchmarkOptions options)
    {
        foreach (string? file in new[] { options.JsonFile, options.SvgFile, options.MarkdownFile })
        {
            if (file is not null)
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        }

        if (options.MarkdownFile is not null)
            MarkdownPage.Check(options.MarkdownFile);
    }

    public static async Task WriteAsync(Report report, BenchmarkOptions options, CancellationToken stop)
    {
        if (options.JsonFile is not null)
            await report.WriteAsync(options.JsonFile, stop).ConfigureAwait(false);
        if (options.SvgFile is not null)
            await File.WriteAllTextAsync(options.SvgFile, SvgChart.Of(report), stop).ConfigureAwait(false);
        if (options.MarkdownFile is not null)
            MarkdownPage.Write(options.MarkdownFile, MarkdownTable.Of(report));
    }
}
