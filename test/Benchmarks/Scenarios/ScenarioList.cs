namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>All scenarios, in the order they are run and printed.</summary>
internal static class ScenarioList
{
    public static IReadOnlyList<IScenario> All { get; } =
    [
        new PlaintextScenario(),
        new PipelinedScenario(),
        new EchoScenario("echo", "the same protocol over the pipes of stock sockets", isAgainstConnectionHandler: false),
        new EchoScenario("handler", "a plain connection handler on the pipes of stock sockets", isAgainstConnectionHandler: true),
    ];
}
