using System.Diagnostics;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Servers.Probing;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>One run of the server as a child process. Disposing ends it: politely, then not.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>Well above the time Kestrel needs once its clients are gone; a server that takes longer hangs.</summary>
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly OutputTail _output = new();
    private string? _probe;

    private ServerProcess(Process process, EndpointPorts ports)
    {
        _process = process;
        Ports = ports;
        process.OutputDataReceived += (_, e) => _output.Add(e.Data);
        process.ErrorDataReceived += (_, e) => _output.Add(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public EndpointPorts Ports { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The last lines it printed; empty if none.</summary>
    public string Output => _output.ToString();

    /// <param name="app">What to run.</param>
    /// <param name="variant">Which side of it.</param>
    /// <param name="withProbe">Whether <see cref="ServerProbe"/> is to have somebody to ask in it.</param>
    public static ServerProcess Start(ServerApp app, Variant variant, bool withProbe)
    {
        var ports = EndpointPorts.Allocate();
        var start = new ProcessStartInfo(app.Program, app.ArgumentsFor(ports, variant))
        {
            WorkingDirectory = app.Directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // One heap: with a heap per core, peak memory would tell more about the machine than about the server.
        start.Environment["DOTNET_gcServer"] = "0";

        // The default, also for the echo server in this assembly, whose own settings suit a load generator.
        start.Environment["DOTNET_TieredCompilation"] = "1";
        string? probe = withProbe ? ServerProbe.Prepare(start.Environment) : null;
        Process process = Process.Start(start) ?? throw new BenchmarkException($"{app.Program} did not start.");
        return new ServerProcess(process, ports) { _probe = probe };
    }

    /// <summary>Asks the process about its own memory. Only of one that was started with a probe.</summary>
    public ServerProbe Probe() => new(_probe ?? throw new InvalidOperationException("The server has no probe."));

    /// <summary>Until it has ended and all it printed is in <see cref="Output"/>.</summary>
    public Task WaitForEndAsync(CancellationToken stop) => _process.WaitForExitAsync(stop);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await StopAsync().ConfigureAwait(false);
        _process.Dispose();
        if (_probe is not null)
            File.Delete(_probe);
    }

    private async Task StopAsync()
    {
        // Discarded: the only error is that it has gone meanwhile, which is what we want.
        _ = LibC.Kill(_process.Id, LibC.SigTerm);
        using var deadline = new CancellationTokenSource(StopDeadline);
        try
        {
            await _process.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It ignores SIGTERM. The next measurement must not share the machine with it.
            Progress.Say($"  the server did not stop within {StopDeadline.TotalSeconds} s of SIGTERM and was killed");
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
