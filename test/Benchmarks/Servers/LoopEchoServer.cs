using System.Net;
using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Protocols;
using LoopBridge.Streams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>A raw echo on LoopBridge in either of its styles, and nothing else. Run as a process of its own, from this assembly.</summary>
internal static class LoopEchoServer
{
    public const string Verb = "serve-loop-echo";
    public const string Reactor = "reactor";
    public const string Stream = "stream";

    public static ServerApp App => StockEchoServer.App;

    /// <summary>As the measured side of a scenario is started, in this style.</summary>
    public static Variant Variant(string style, BenchmarkOptions options) => new(style, [Verb, style, .. Servers.Variant.LoopBridge(options).Arguments]);

    public static async Task<int> RunAsync(string[] args)
    {
        // Not the short form for all defaults: nothing here but the transport and one endpoint.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddCommandLine(args);
        builder.Services.AddReactorProtocol<EchoProtocol>();
        builder.Services.AddLoopHandler<EchoHandler>();
        builder.WebHost.UseKestrelCore().UseLoopBridge().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, StockEchoServer.PortOf(args), endpoint => Serve(endpoint, args.Contains(Stream))));
        await builder.Build().RunAsync().ConfigureAwait(false);
        return ExitCodes.Success;
    }

    private static void Serve(IConnectionBuilder endpoint, bool isStream)
    {
        if (isStream)
            endpoint.UseLoopHandler<EchoHandler>();
        else
            endpoint.UseReactorProtocol<EchoProtocol>();
    }

    private sealed class EchoProtocol : Protocol
    {
        public override void DataReceived(ReadOnlySpan<byte> data) => Transport.Write(data);
    }

    private sealed class EchoHandler : ILoopHandler
    {
        // A page: as much as the engine offers a receive, so that both styles ask the kernel for the same.
        private readonly byte[] _buffer = new byte[4096];

        public async Task HandleAsync(LoopStream stream, CancellationToken stopping)
        {
            int count;
            while ((count = await stream.ReadAsync(_buffer, stopping)) > 0)
                await stream.WriteAsync(_buffer.AsMemory(0, count), stopping);
        }
    }
}
