using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>Responses far larger than any buffer: segments and gather writes, and backpressure from the client.</summary>
internal sealed class DownloadScenario : IScenario
{
    private const int Bytes = 1024 * 1024;
    private const int Connections = 16;

    public string Name => "downloads";

    public string Title => "1 MB responses";

    public string Description => $"HTTP/1.1 GET /bytes?n={Bytes}, {Connections} connections; latencies are of a whole response";

    public string Unit => LoadResult.Megabytes;

    public string Endpoint => EndpointPorts.Web;

    public Tool? Tool => Tool.Wrk;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.Common(Unit, perCpuSecond: Mark.AtLeast(1.1));

    public async Task<LoadResult> RunAsync(ScenarioContext context)
    {
        var request = new WrkRequest(new Uri(context.Ports.UrlOf(Endpoint), $"/bytes?n={Bytes}")) { Connections = Connections };
        return (await WrkLoad.RunAsync(context, request).ConfigureAwait(false)).InMegabytes(Bytes);
    }
}
