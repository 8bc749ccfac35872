using System.Diagnostics;
using System.Globalization;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>How often a process makes which system call, by <c>strace -c</c>: under strace it is slow, but what it does is the same.</summary>
internal sealed class SystemCallSummary
{
    private readonly Dictionary<string, long> _counts;

    private SystemCallSummary(Dictionary<string, long> counts) => _counts = counts;

    /// <summary>All of them.</summary>
    public long Total => _counts.Values.Sum();

    public long this[string call] => _counts.GetValueOrDefault(call);

    /// <summary>Those of all the threads of a process while <paramref name="work"/> goes on.</summary>
    public static async Task<SystemCallSummary> TakeAsync(int pid, Func<Task> work, CancellationToken stop)
    {
        string[] arguments = ["-c", "-f", "-p", $"{pid}"];
        var start = new ProcessStartInfo(Tool.Strace.Program, arguments) { RedirectStandardError = true };
        using Process strace = Process.Start(start) ?? throw new BenchmarkException("strace did not start.");
        try
        {
            string? attached = await strace.StandardError.ReadLineAsync(stop).ConfigureAwait(false);
            if (attached?.Contains("attached", StringComparison.Ordinal) != true)
                throw new MeasurementException($"strace could not attach to process {pid}: {attached}");

            await work().ConfigureAwait(false);

            // Discarded: the only error is that it has gone, which the missing summary tells.
            _ = LibC.Kill(strace.Id, LibC.SigInt);
            string summary = await strace.StandardError.ReadToEndAsync(stop).ConfigureAwait(false);
            await strace.WaitForExitAsync(stop).ConfigureAwait(false);
            return new SystemCallSummary(Parse(summary));
        }
        finally
        {
            // A tracer left behind would hold the server.
            if (!strace.HasExited)
                strace.Kill();
        }
    }

    // % time, seconds, usecs/call, calls, perhaps errors, name.
    private static Dictionary<string, long> Parse(string summary)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in summary.Split('\n'))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length >= 5 && fields[^1] != "total" && long.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out long calls))
                counts[fields[^1]] = calls;
        }

        return counts.Count > 0 ? counts : throw new MeasurementException($"strace gave no summary:\n{summary}");
    }
}
