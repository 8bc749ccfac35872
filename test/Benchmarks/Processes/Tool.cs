namespace LoopBridge.Benchmarks.Processes;

/// <summary>A program that must be installed, and the Debian package that brings it.</summary>
internal sealed record Tool(string Program, string Package)
{
    public static Tool Wrk { get; } = new("wrk", "wrk");

    public static Tool H2Load { get; } = new("h2load", "nghttp2-client");

    public static Tool Perf { get; } = new("perf", "linux-perf");

    public static Tool CCompiler { get; } = new("cc", "gcc");

    public static Tool Strace { get; } = new("strace", "strace");

    public bool IsInstalled
        => (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(directory => File.Exists(Path.Combine(directory, Program)));
}
