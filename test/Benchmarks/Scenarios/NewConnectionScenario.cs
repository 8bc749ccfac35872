using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Wrk;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>
/// What a connection costs, from accept to close. The ports do not run out: who closes first keeps the pair of ports for a minute
/// (TIME_WAIT), but over loopback Linux lets a client have it again after a second (tcp_tw_reuse, ip-sysctl.rst). Should they, wrk counts
/// an error, and the measurement fails.
/// </summary>
internal sealed class NewConnectionScenario(string name, string title, string endpoint, double least) : IScenario
{
    public string Name => name;

    public string Title => title;

    public string Description
        => $"HTTP/1.1 GET /plaintext with Connection: close{(Endpoint == EndpointPorts.Https ? " over TLS" : "")},"
            + $" {WrkRequest.CommonConnections} at a time; latencies are without the connect";

    public string Unit => "requests";

    public string Endpoint => endpoint;

    public Tool? Tool => Tool.Wrk;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.Common(Unit, perCpuSecond: Mark.AtLeast(least));

    public Task<LoadResult> RunAsync(ScenarioContext context)
        => WrkLoad.RunAsync(context, new WrkRequest(new Uri(context.Ports.UrlOf(Endpoint), "/plaintext")) { OwnConnections = true });
}
