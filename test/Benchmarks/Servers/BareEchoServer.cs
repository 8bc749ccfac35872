using System.Globalization;
using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>
/// The echo of <c>Native/bare_epoll_echo.c</c>, compiled when it is needed, with as many threads as the other side has loops.
/// </summary>
internal sealed record BareEchoServer(string Binary) : ServerApp(Binary, AppContext.BaseDirectory)
{
    private static readonly string Source = Path.Combine(AppContext.BaseDirectory, "Native", "bare_epoll_echo.c");

    public override string Program => Binary;

    public static async Task<(ServerApp App, Variant Variant)> PrepareAsync(BenchmarkOptions options, CancellationToken stop)
    {
        string binary = Path.ChangeExtension(Source, null);
        string[] arguments = ["-O2", "-Wall", "-pthread", "-o", binary, Source];
        CommandResult build = await Command
            .RunAsync(Tool.CCompiler.Program, arguments, AppContext.BaseDirectory, stop).ConfigureAwait(false);
        if (build.ExitCode != 0)
            throw new MeasurementException($"{Source} does not compile:\n{build.Everything}");

        int threads = options.Loops ?? Environment.ProcessorCount;
        return (new BareEchoServer(binary), new Variant(Variant.Stock, [threads.ToString(CultureInfo.InvariantCulture)]));
    }

    public override IEnumerable<string> ArgumentsFor(EndpointPorts ports, Variant variant)
        => [ports[EndpointPorts.Echo].Port.ToString(CultureInfo.InvariantCulture), .. variant.Arguments];
}
