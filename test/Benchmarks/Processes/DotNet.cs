namespace LoopBridge.Benchmarks.Processes;

/// <summary>The <c>dotnet</c> that builds and runs the servers: the one that runs us, where it says so.</summary>
internal static class DotNet
{
    public static string Program { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
}
