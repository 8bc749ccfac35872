using System.Diagnostics;
using System.Text.Json;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>This program once more, as the child that does a trial's work and answers line by line. Disposing ends it.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly OutputTail _errors = new();
    private readonly CancellationToken _stop;

    private ChildProcess(Process process, CancellationToken stop)
    {
        _process = process;
        _stop = stop;
        process.ErrorDataReceived += (_, e) => _errors.Add(e.Data);
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public static ChildProcess Start(IEnumerable<string> arguments, CancellationToken stop)
    {
        var start = new ProcessStartInfo(DotNet.Program, [typeof(ChildProcess).Assembly.Location, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // The default, which a load generator's own settings are not.
        start.Environment["DOTNET_TieredCompilation"] = "1";
        return new ChildProcess(Process.Start(start) ?? throw new BenchmarkException($"{DotNet.Program} did not start."), stop);
    }

    /// <summary>The next line it prints, as JSON.</summary>
    public async Task<T> ReadAsync<T>()
    {
        string? line = await _process.StandardOutput.ReadLineAsync(_stop).ConfigureAwait(false);
        if (line is not null)
            return JsonSerializer.Deserialize<T>(line)!;

        await _process.WaitForExitAsync(_stop).ConfigureAwait(false);
        throw new MeasurementException($"The trial's process ended with {_process.ExitCode}. It printed:\n{_errors}");
    }

    public void Dispose()
    {
        // It waits for nothing but the end of its input, if at all.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
