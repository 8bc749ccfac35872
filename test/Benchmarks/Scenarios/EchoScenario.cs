using LoopBridge.Benchmarks.Echo;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>No protocol at all: what the transport alone costs per message.</summary>
internal sealed class EchoScenario(string name, string stockSide, bool isAgainstConnectionHandler) : IScenario
{
    private const int Connections = 64;

    public string Name => name;

    public bool IsAgainstConnectionHandler => isAgainstConnectionHandler;

    public string Description
        => $"raw TCP echo, {Connections} connections, {EchoConnections.MessageSize}-byte messages, one at a time each; stock is {stockSide}";

    public string Unit => "messages";

    public string Endpoint => EndpointPorts.Echo;

    public Tool? Tool => null;

    // A thread of its own for the whole measurement: the load is a loop that never awaits.
    public Task<LoadResult> RunAsync(ScenarioContext context)
        => Task.Factory.StartNew(() => Run(context), context.Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private LoadResult Run(ScenarioContext context)
    {
        using var connections = new EchoConnections(context.Ports[Endpoint], Connections);
        return new EchoLoad(connections, context.Stop).Run(context.WarmUp, context.Measure, context.Cpu);
    }
}
