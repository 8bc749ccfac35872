using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>The shortest way through HTTP/1.1: one small request at a time on each kept-alive connection.</summary>
internal sealed class PlaintextScenario : IScenario
{
    public string Name => "plaintext";

    public string Description => $"HTTP/1.1 GET /plaintext, {WrkLoad.Connections} connections kept alive, one request at a time each";

    public string Unit => "requests";

    public string Endpoint => EndpointPorts.Web;

    public Tool? Tool => Tool.Wrk;

    public Task<LoadResult> RunAsync(ScenarioContext context)
        => WrkLoad.RunAsync(context, new Uri(context.Ports.UrlOf(Endpoint), "/plaintext"), depth: 1);
}
