using System.Net;
using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Stacks;
using LoopBridge.Protocols;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>A raw echo of a reactor on the layers it is told, without a host. Run as a process of its own, from this assembly.</summary>
internal static class StackEchoServer
{
    public const string Verb = "serve-stack-echo";

    public static ServerApp App => StockEchoServer.App;

    /// <summary>The server on these layers, as <see cref="EngineStack"/> names them.</summary>
    public static Variant Variant(string stack, BenchmarkOptions options)
        => new(stack, [Verb, stack, options.Driver ?? nameof(LoopDriver.Auto)]);

    public static int Run(string[] args)
    {
        string[] own = args[Array.IndexOf(args, Verb)..];
        using var stack = new EngineStack(own[1], Enum.Parse<LoopDriver>(own[2], ignoreCase: true));
        var endPoint = new IPEndPoint(IPAddress.Loopback, StockEchoServer.PortOf(args));
        stack.Reactor.ListenTcp(endPoint, ProtocolFactory.Create(static () => new EchoProtocol()));
        stack.Run(installSignalHandlers: true);
        return ExitCodes.Success;
    }

    private sealed class EchoProtocol : Protocol
    {
        public override void DataReceived(ReadOnlySpan<byte> data) => Transport.Write(data);
    }
}
