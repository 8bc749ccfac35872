using System.Globalization;

namespace LoopBridge.Benchmarks.Wrk;

/// <summary>The lines that <see cref="WrkScript"/> makes wrk print: counts, and times in microseconds.</summary>
internal sealed record WrkReport(
    long Requests,
    long DurationMicros,
    long ConnectErrors,
    long ReadErrors,
    long WriteErrors,
    long BadStatuses,
    long Timeouts,
    WrkLatencies Latencies)
{
    public long Errors => ConnectErrors + ReadErrors + WriteErrors + BadStatuses + Timeouts;

    public string ErrorDetail
        => $"connect {ConnectErrors}, read {ReadErrors}, write {WriteErrors}, status {BadStatuses}, timeout {Timeouts}";

    /// <summary>Null if there is no summary.</summary>
    public static WrkReport? Parse(string output)
    {
        ILookup<string, long[]> lines = output.Split('\n')
            .Where(line => line.StartsWith(WrkScript.SummaryMark, StringComparison.Ordinal)
                || line.StartsWith(WrkScript.LatencyMark, StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .ToLookup(words => words[0], words => Numbers(words.AsSpan(1)));

        long[]? f = lines[WrkScript.SummaryMark].FirstOrDefault();
        return f is null ? null : new WrkReport(f[0], f[1], f[2], f[3], f[4], f[5], f[6], new WrkLatencies(lines[WrkScript.LatencyMark]));
    }

    private static long[] Numbers(ReadOnlySpan<string> words)
    {
        long[] numbers = new long[words.Length];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = long.Parse(words[i], CultureInfo.InvariantCulture);
        return numbers;
    }
}
