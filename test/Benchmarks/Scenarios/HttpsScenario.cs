using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>TLS over our pipes, on connections that stay.</summary>
internal sealed class HttpsScenario : IScenario
{
    public string Name => "https";

    public string Title => $"HTTPS plaintext, {WrkRequest.CommonConnections} connections";

    public string Description
        => $"HTTP/1.1 GET /plaintext over TLS, {WrkRequest.CommonConnections} connections kept alive, one request at a time";

    public string Unit => "requests";

    public string Endpoint => EndpointPorts.Https;

    public Tool? Tool => Tool.Wrk;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.Common(Unit, perCpuSecond: Mark.AtLeast(1.6));

    public Task<LoadResult> RunAsync(ScenarioContext context)
        => WrkLoad.RunAsync(context, new WrkRequest(new Uri(context.Ports.UrlOf(Endpoint), "/plaintext")));
}
