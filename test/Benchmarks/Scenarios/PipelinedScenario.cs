using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>Requests that arrive in one segment and should be answered in one: it shows whether a turn's writes leave together.</summary>
internal sealed class PipelinedScenario : IScenario
{
    /// <summary>As the TechEmpower plaintext test does.</summary>
    private const int Depth = 16;

    public string Name => "pipelined";

    public string Title => $"HTTP/1.1 plaintext, pipelined ×{Depth}";

    public string Description => $"plaintext, {Depth} requests at a time on each of the 64 connections; latencies are of a whole batch";

    public string Unit => "requests";

    public string Endpoint => EndpointPorts.Web;

    public Tool? Tool => Tool.Wrk;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.Common(Unit, perCpuSecond: Mark.AtLeast(1.3));

    public Task<LoadResult> RunAsync(ScenarioContext context)
        => WrkLoad.RunAsync(context, new WrkRequest(new Uri(context.Ports.UrlOf(Endpoint), "/plaintext")) { Depth = Depth });
}
