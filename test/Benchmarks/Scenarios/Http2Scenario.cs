using LoopBridge.Benchmarks.Http;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>Many streams on few connections: their responses are flushed from several threads, and should still leave together.</summary>
internal sealed class Http2Scenario(int connections, int streams) : IScenario
{
    public string Name => $"http2-{connections}x{streams}";

    public string Title => $"HTTP/2 plaintext, {connections} × {streams} streams";

    public string Description
        => $"HTTP/2 GET /plaintext without TLS, by h2load, {connections} connections with {streams} requests at a time each";

    public string Unit => "requests";

    public string Endpoint => EndpointPorts.Http2;

    public Tool? Tool => Tool.H2Load;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.WithoutLatency(Unit, perCpuSecond: Mark.AtLeast(1.05));

    public Task<LoadResult> RunAsync(ScenarioContext context)
        => H2Load.RunAsync(context, new Uri(context.Ports.UrlOf(Endpoint), "/plaintext"), connections, streams);
}
