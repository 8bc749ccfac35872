using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>A server that a scenario is compared with in place of the sample over stock sockets.</summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="PrepareAsync">Builds it, if need be.</param>
internal sealed record StandIn(string Name, Func<BenchmarkOptions, CancellationToken, Task<(ServerApp App, Variant Variant)>> PrepareAsync)
{
    /// <summary>Where the ratio to it per processor time is drawn. Defaults to nowhere.</summary>
    public ChartGroup Chart { get; private init; }

    public static StandIn ConnectionHandler { get; } = new(
        "a plain connection handler on stock sockets", (_, _) => Task.FromResult((StockEchoServer.App, StockEchoServer.Variant)));

    public static StandIn BareEpoll { get; } = new("bare epoll in C", BareEchoServer.PrepareAsync) { Chart = ChartGroup.BareEpoll };
}
