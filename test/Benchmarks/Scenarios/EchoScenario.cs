using LoopBridge.Benchmarks.ClosedLoop;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>No protocol at all: what the transport alone costs per message.</summary>
internal sealed class EchoScenario(string name, string beside = "", StandIn? standIn = null, Tool? tool = null, Mark? mark = null)
    : IScenario
{
    private const int Connections = 64;

    public string Name => name;

    public string Title => $"echo by a reactor protocol, {Connections} connections";

    public string Description
        => $"raw TCP echo, {Connections} connections, {EchoConnections.MessageSize}-byte messages, one at a time; beside is {beside}";

    public string Unit => "messages";

    public string Endpoint => EndpointPorts.Echo;

    public Tool? Tool => tool;

    public StandIn? StandIn => standIn;

    public IReadOnlyList<LoadFigure> Figures => LoadFigure.Common(Unit, perCpuSecond: mark);

    // A thread of its own for the whole measurement: the load is a loop that never awaits.
    public Task<LoadResult> RunAsync(ScenarioContext context)
        => Task.Factory.StartNew(() => Run(context), context.Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private LoadResult Run(ScenarioContext context)
    {
        using var connections = new EchoConnections(context.Ports[Endpoint], Connections);
        using var load = new ClosedLoopLoad(connections, context.Stop);
        return load.Run(context.WarmUp, context.Measure, context.Cpu);
    }
}
