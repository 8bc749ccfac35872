using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>The shortest way through HTTP/1.1: one small request at a time on each kept-alive connection.</summary>
internal sealed class PlaintextScenario(string name = "plaintext", int connections = WrkRequest.CommonConnections) : IScenario
{
    public string Name => name;

    public string Title => $"HTTP/1.1 plaintext, {connections:#,0} connections";

    public string Description => $"HTTP/1.1 GET /plaintext, {connections:#,0} connections kept alive, one request at a time each";

    public string Unit => "requests";

    public string Endpoint => EndpointPorts.Web;

    public Tool? Tool => Tool.Wrk;

    public IReadOnlyList<LoadFigure> Figures
        => LoadFigure.Common(Unit, perCpuSecond: Mark.AtLeast(2), perSecond: Mark.AtLeast(1.4), p99: Mark.AtMost(1));

    public Task<LoadResult> RunAsync(ScenarioContext context)
        => WrkLoad.RunAsync(context, new WrkRequest(new Uri(context.Ports.UrlOf(Endpoint), "/plaintext")) { Connections = connections });
}
