using LoopBridge.Benchmarks.CommandLine;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>A server that a scenario is compared with in place of the sample over stock sockets.</summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="PrepareAsync">Builds it, if need be.</param>
internal sealed record StandIn(string Name, Func<BenchmarkOptions, CancellationToken, Task<(ServerApp App, Variant Variant)>> PrepareAsync)
{
    public static StandIn ConnectionHandler { get; } = new(
        "a plain connection handler on stock sockets", (_, _) => Task.FromResult((StockEchoServer.App, StockEchoServer.Variant)));

    public static StandIn BareEpoll { get; } = new("bare epoll in C", BareEchoServer.PrepareAsync);
}
