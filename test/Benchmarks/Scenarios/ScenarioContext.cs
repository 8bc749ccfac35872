using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Scenarios;

/// <summary>What a scenario works with.</summary>
/// <param name="Ports">Where the server listens.</param>
/// <param name="Cpu">To be started and stopped around exactly what is measured.</param>
/// <param name="WarmUp">Load before the measurement; zero for none.</param>
/// <param name="Measure">Length of the measurement.</param>
/// <param name="Stop">Fires when the user gives up.</param>
internal sealed record ScenarioContext(EndpointPorts Ports, CpuMeter Cpu, TimeSpan WarmUp, TimeSpan Measure, CancellationToken Stop);
