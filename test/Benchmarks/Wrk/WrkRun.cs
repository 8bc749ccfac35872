using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Wrk;

/// <summary>One run of wrk with its own arguments and script.</summary>
internal sealed class WrkRun(WrkRequest request)
{
    /// <summary>Half the cores: on the same machine every client thread more is one core less for the server.</summary>
    private static readonly int MostThreads = Math.Max(Environment.ProcessorCount / 2, 1);

    /// <summary>Beyond the time it was told to run, wrk needs milliseconds.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    private readonly int _threads = Math.Min(MostThreads, request.Connections);

    public Task<WrkReport> RunAsync(TimeSpan duration, CancellationToken stop) => RunAsync([], duration, stop);

    /// <param name="under">A program and its arguments that run wrk and say nothing on standard output.</param>
    /// <param name="duration">How long.</param>
    /// <param name="stop">Fires when the user gives up.</param>
    public async Task<WrkReport> RunAsync(IReadOnlyList<string> under, TimeSpan duration, CancellationToken stop)
    {
        string scriptFile = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(scriptFile, WrkScript.For(request), stop).ConfigureAwait(false);
            string[] load = ["-t", $"{_threads}", "-c", $"{request.Connections}", "-d", $"{duration.TotalSeconds}s"];
            string[] command = [.. under, Tool.Wrk.Program, .. load, "-s", scriptFile, $"{request.Url}"];
            CommandResult wrk = await CommandAsync(command, duration + Grace, stop).ConfigureAwait(false);
            WrkReport report = WrkReport.Parse(wrk.Output)
                ?? throw new MeasurementException($"wrk ended with {wrk.ExitCode}: {wrk.Everything}");
            Restore(report);
            return report;
        }
        finally
        {
            File.Delete(scriptFile);
        }
    }

    private static async Task<CommandResult> CommandAsync(string[] command, TimeSpan most, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(most);
        try
        {
            return await Command.RunAsync(command[0], command[1..], Path.GetTempPath(), deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new MeasurementException($"wrk did not end within {most.TotalSeconds} s: {string.Join(' ', command)}");
        }
    }

    /// <summary>Undoes wrk's correction, and proves it: there must be one latency per batch then.</summary>
    private void Restore(WrkReport report)
    {
        long perConnection = report.Requests / request.Connections;
        if (perConnection == 0 || report.Errors > 0 || IsOnePerBatch(report))
            return;

        report.Latencies.RemoveCorrection(report.DurationMicros / perConnection);
        if (!IsOnePerBatch(report))
        {
            throw new MeasurementException(
                $"wrk's latencies do not add up: {report.Latencies.Total} for {report.Requests} requests, {request.Depth} at a time.");
        }
    }

    // Batches that the end cut short have requests but no latency yet: one per connection at most.
    private bool IsOnePerBatch(WrkReport report)
        => Math.Abs(report.Latencies.Total - (report.Requests / request.Depth)) <= request.Connections;
}
