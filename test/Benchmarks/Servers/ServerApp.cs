using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>The server to measure: its assembly, and the directory whose <c>appsettings.json</c> it reads.</summary>
internal record ServerApp(string Assembly, string Directory)
{
    public virtual string Program => DotNet.Program;

    /// <summary>The whole command line after the program.</summary>
    public virtual IEnumerable<string> ArgumentsFor(EndpointPorts ports, Variant variant)
        => [Assembly, .. ports.AsArguments(), "--Logging:LogLevel:Default=Warning", .. variant.Arguments];
}
