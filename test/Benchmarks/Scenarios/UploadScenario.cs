using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>Requests far larger than any buffer, read straight into the reader's memory.</summary>
internal sealed class UploadScenario : IScenario
{
    private const int Bytes = 10 * 1024 * 1024;
    private const int Connections = 8;

    public string Name => "uploads";

    public string Title => "10 MB uploads";

    public string Description
        => $"HTTP/1.1 POST /upload with {Bytes:#,0} bytes, {Connections} connections; latencies are of a whole request";

    public string Unit => LoadResult.Megabytes;

    public string Endpoint => EndpointPorts.Web;

    public Tool? Tool => Tool.Wrk;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.Common(Unit, perCpuSecond: Mark.AtLeast(2));

    public async Task<LoadResult> RunAsync(ScenarioContext context)
    {
        var request = new WrkRequest(new Uri(context.Ports.UrlOf(Endpoint), "/upload")) { Connections = Connections, UploadBytes = Bytes };
        return (await WrkLoad.RunAsync(context, request).ConfigureAwait(false)).InMegabytes(Bytes);
    }
}
