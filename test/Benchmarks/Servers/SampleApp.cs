using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>Finds the server and, if it is the sample, builds it.</summary>
internal static class SampleApp
{
    private static Task<ServerApp>? _prepared;

    /// <summary>The same for all of a run: it is built once.</summary>
    public static Task<ServerApp> PrepareAsync(BenchmarkOptions options, CancellationToken stop) => _prepared ??= FindAsync(options, stop);

    private static async Task<ServerApp> FindAsync(BenchmarkOptions options, CancellationToken stop)
    {
        if (options.App is not null)
            return Existing(options.App, Path.GetDirectoryName(options.App)!, "Build it first, or correct --app.");

        string project = Path.Combine(RepositoryRoot(), "samples", "WebApp");
        if (!options.NoBuild)
            await BuildAsync(project, stop).ConfigureAwait(false);

        return Existing(Path.Combine(project, "bin", "Release", "net10.0", "WebApp.dll"), project, "Leave out --no-build.");
    }

    private static async Task BuildAsync(string project, CancellationToken stop)
    {
        Progress.Say("Building samples/WebApp (Release)");
        string[] arguments = ["build", "-c", "Release", "-v", "q", "--nologo", project];
        CommandResult build = await Command.RunAsync(DotNet.Program, arguments, project, stop).ConfigureAwait(false);
        if (build.ExitCode != 0)
            throw new BenchmarkException($"samples/WebApp does not build:\n{build.Everything}");
    }

    private static ServerApp Existing(string assembly, string directory, string advice)
        => File.Exists(assembly) ? new ServerApp(assembly, directory) : throw new BenchmarkException($"There is no {assembly}. {advice}");

    private static string RepositoryRoot()
    {
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "LoopBridge.slnx")))
                return directory.FullName;
        }

        throw new BenchmarkException($"LoopBridge.slnx is in no directory above {AppContext.BaseDirectory}; use --app to name a server.");
    }
}
