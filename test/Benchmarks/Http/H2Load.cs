using System.Globalization;
using System.Text.RegularExpressions;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Scenarios;

namespace LoopBridge.Benchmarks.Http;

/// <summary>HTTP/2 load by h2load(1), without TLS: one run to warm up, one that is measured. It tells no percentiles.</summary>
internal static partial class H2Load
{
    /// <summary>Beyond the time it was told to run, it needs milliseconds.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    public static async Task<LoadResult> RunAsync(ScenarioContext context, Uri url, int connections, int streams)
    {
        await HttpProbe.CheckAsync(url, uploadBytes: 0, isHttp2: true, context.Stop).ConfigureAwait(false);
        string[] load = ["-t", "1", "-c", $"{connections}", "-m", $"{streams}"];
        if (context.WarmUp > TimeSpan.Zero)
            await RunAsync(load, url, context.WarmUp, context.Stop).ConfigureAwait(false);

        context.Cpu.Start();
        string output = await RunAsync(load, url, context.Measure, context.Stop).ConfigureAwait(false);
        return Result(output, context.Measure, context.Cpu.Stop());
    }

    private static async Task<string> RunAsync(string[] load, Uri url, TimeSpan time, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(time + Grace);
        string[] arguments = [.. load, "-D", time.TotalSeconds.ToString(CultureInfo.InvariantCulture), $"{url}"];
        try
        {
            CommandResult run = await Command
                .RunAsync(Tool.H2Load.Program, arguments, Path.GetTempPath(), deadline.Token).ConfigureAwait(false);
            return run.ExitCode == 0 ? run.Output : throw new MeasurementException($"h2load ended with {run.ExitCode}: {run.Everything}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new MeasurementException($"h2load did not end within {(time + Grace).TotalSeconds} s: {string.Join(' ', arguments)}");
        }
    }

    // requests: 102920 total, 103048 started, 102920 done, 102920 succeeded, 0 failed, 0 errored, 0 timeout
    private static LoadResult Result(string output, TimeSpan time, double cpuSeconds)
    {
        Match requests = Requests().Match(output);
        if (!requests.Success)
            throw new MeasurementException($"h2load gave no summary:\n{output}");

        long done = Number(requests, 1);
        long succeeded = Number(requests, 2);
        return new LoadResult
        {
            Operations = succeeded,
            Seconds = time.TotalSeconds,
            CpuSeconds = cpuSeconds,
            P50Micros = double.NaN,
            P99Micros = double.NaN,
            Errors = done - succeeded + Number(requests, 3) + Number(requests, 4) + Number(requests, 5),
            ErrorDetail = requests.Value,
        };
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout")]
    private static partial Regex Requests();
}
