using System.Diagnostics;
using System.Text.RegularExpressions;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>Counts the system calls of one thread with strace(1).</summary>
internal static partial class SystemCallTrace
{
    /// <summary>
    /// So many were made, beside the one that strace interrupts by attaching (epoll_wait is not restarted after a stop, signal(7)); the
    /// one it finds or leaves unfinished is not counted either.
    /// </summary>
    public static async Task<int> CountAsync(int thread, TimeSpan time, CancellationToken stop)
    {
        string[] arguments = ["-p", $"{thread}", "-e", "signal=none"];
        var start = new ProcessStartInfo(Tool.Strace.Program, arguments) { RedirectStandardError = true };
        using Process strace = Process.Start(start) ?? throw new BenchmarkException("strace did not start.");
        try
        {
            string? attached = await strace.StandardError.ReadLineAsync(stop).ConfigureAwait(false);
            if (attached?.Contains("attached", StringComparison.Ordinal) != true)
                throw new MeasurementException($"strace could not attach to thread {thread}: {attached}");

            await Task.Delay(time, stop).ConfigureAwait(false);

            // Discarded: the only error is that it has gone, which the missing trace tells.
            _ = LibC.Kill(strace.Id, LibC.SigInt);
            string trace = await strace.StandardError.ReadToEndAsync(stop).ConfigureAwait(false);
            await strace.WaitForExitAsync(stop).ConfigureAwait(false);
            return Count(trace);
        }
        finally
        {
            // A tracer left behind would hold the child.
            if (!strace.HasExited)
                strace.Kill();
        }
    }

    private static int Count(string trace)
    {
        string[] calls = [.. trace.Split('\n').Where(line => Completed().IsMatch(line))];
        bool isFirstInterrupted = calls.Length > 0 && calls[0].Contains("EINTR", StringComparison.Ordinal);
        return calls.Length - (isFirstInterrupted ? 1 : 0);
    }

    // strace pads what comes before the result to a column.
    [GeneratedRegex(@"\)\s+= ")]
    private static partial Regex Completed();
}
