using LoopBridge.Benchmarks.Http;
using LoopBridge.Benchmarks.Scenarios;

namespace LoopBridge.Benchmarks.Wrk;

/// <summary>
/// HTTP/1.1 load by wrk: one run to warm up, one that is measured. A latency is that of a batch: the time from sending its requests
/// to the last response.
/// </summary>
internal static class WrkLoad
{
    public static async Task<LoadResult> RunAsync(ScenarioContext context, WrkRequest request)
    {
        await HttpProbe.CheckAsync(request.Url, request.UploadBytes, isHttp2: false, context.Stop).ConfigureAwait(false);
        var wrk = new WrkRun(request);
        if (context.WarmUp > TimeSpan.Zero)
            await wrk.RunAsync(context.WarmUp, context.Stop).ConfigureAwait(false);

        context.Cpu.Start();
        WrkReport report = await wrk.RunAsync(context.Measure, context.Stop).ConfigureAwait(false);
        double cpuSeconds = context.Cpu.Stop();
        return new LoadResult
        {
            Operations = report.Requests,
            Seconds = report.DurationMicros / 1e6,
            CpuSeconds = cpuSeconds,
            P50Micros = report.Latencies.PercentileMicros(0.50),
            P99Micros = report.Latencies.PercentileMicros(0.99),
            Errors = report.Errors,
            ErrorDetail = report.ErrorDetail,
        };
    }
}
