using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>All scenarios, in the order they are run and printed.</summary>
internal static class ScenarioList
{
    public static IReadOnlyList<IScenario> All { get; } =
    [
        new PlaintextScenario(),
        new PlaintextScenario("plaintext-1000", 1000),
        new PipelinedScenario(),
        new Http2Scenario(16, 32),
        new Http2Scenario(1, 100),
        new HttpsScenario(),
        new NewConnectionScenario("https-new", "HTTPS, new connection for each request", EndpointPorts.Https, least: 1.2),
        new NewConnectionScenario("http-new", "HTTP/1.1, new connection for each request", EndpointPorts.Web, least: 1.3),
        new DownloadScenario(),
        new UploadScenario(),
        new EchoScenario("echo-c", "an echo on bare epoll in C", StandIn.BareEpoll, Tool.CCompiler, Mark.AtLeast(0.9)),
        new EchoScenario("echo", "the same protocol over the pipes of stock sockets"),
        new EchoScenario("handler", "a plain connection handler on the pipes of stock sockets", StandIn.ConnectionHandler),
    ];
}
