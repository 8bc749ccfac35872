using System.Diagnostics;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>What a real program said, and how it ended.</summary>
public sealed record PeerResult(int ExitCode, string Output, string Errors);

/// <summary>
/// A real program as the other side. One that is not installed skips the test by its name; with <c>LOOPBRIDGE_REQUIRE_PEERS=1</c>, which
/// CI sets, it fails it.
/// </summary>
public sealed class Peer
{
    private readonly string _path;

    private Peer(string path) => _path = path;

    public static Peer Require(string program)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        string? path = folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        if (path is null)
        {
            Assert.False(Environment.GetEnvironmentVariable("LOOPBRIDGE_REQUIRE_PEERS") == "1",
                $"The peer '{program}' is required and not installed.");
            Assert.Skip($"The peer '{program}' is not installed.");
        }

        return new Peer(path!);
    }

    /// <summary>Runs it to its end, with <paramref name="input"/> as its standard input, which is closed then.</summary>
    public async Task<PeerResult> RunAsync(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(_path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        using Process process = Process.Start(start)!;
        try
        {
            // Process leaves the readers that were asked for to whoever asked, and their pipes to the collector.
            using StreamReader outputReader = process.StandardOutput;
            using StreamReader errorReader = process.StandardError;
            Task<string> output = outputReader.ReadToEndAsync();
            Task<string> errors = errorReader.ReadToEndAsync();
            await process.StandardInput.WriteAsync(input).WithDeadline();
            process.StandardInput.Close();
            await process.WaitForExitAsync().WithDeadline();
            return new PeerResult(process.ExitCode, await output.WithDeadline(), await errors.WithDeadline());
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(); // stuck: the deadline's exception says where
            }
        }
    }
}
