using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>
/// What an application on stock Kestrel would write for a raw echo: a connection handler on pipes. Run as a process of its own, from this
/// assembly.
/// </summary>
internal static class StockEchoServer
{
    public const string Verb = "serve-echo";

    private static readonly string UrlKey = $"--Kestrel:Endpoints:{EndpointPorts.Echo}:Url=";

    public static ServerApp App => new(typeof(StockEchoServer).Assembly.Location, AppContext.BaseDirectory);

    public static Variant Variant => new(Variant.Stock, [Verb]);

    public static async Task<int> RunAsync(string[] args)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, PortOf(args), endpoint => endpoint.Run(EchoAsync)));
        await builder.Build().RunAsync().ConfigureAwait(false);
        return ExitCodes.Success;
    }

    /// <summary>Where an echo server is to listen, of the arguments that every server gets.</summary>
    public static int PortOf(string[] args)
        => new Uri(Array.Find(args, argument => argument.StartsWith(UrlKey, StringComparison.Ordinal))![UrlKey.Length..]).Port;

    private static async Task EchoAsync(ConnectionContext connection)
    {
        PipeReader input = connection.Transport.Input;
        PipeWriter output = connection.Transport.Output;
        while (true)
        {
            ReadResult result = await input.ReadAsync().ConfigureAwait(false);
            foreach (ReadOnlyMemory<byte> piece in result.Buffer)
                output.Write(piece.Span);

            input.AdvanceTo(result.Buffer.End);
            FlushResult flush = await output.FlushAsync().ConfigureAwait(false);
            if (result.IsCompleted || flush.IsCompleted)
                return;
        }
    }
}
