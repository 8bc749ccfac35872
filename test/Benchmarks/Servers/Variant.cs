using LoopBridge.Benchmarks.CommandLine;

namespace LoopBridge.Benchmarks.Servers;

/// <summary>One of the two sides: the same server with other arguments.</summary>
internal sealed record Variant(string Name, IReadOnlyList<string> Arguments)
{
    public const string Stock = "stock";

    public static Variant Baseline(BenchmarkOptions options)
        => options.Against is null ? new Variant(Stock, ["--LoopBridge:Enabled=false"]) : new Variant("baseline", options.Against);

    public static Variant LoopBridge(BenchmarkOptions options)
    {
        List<string> arguments = ["--LoopBridge:Enabled=true"];
        if (options.Driver is not null)
            arguments.Add($"--LoopBridge:Driver={options.Driver}");
        if (options.Scheduling is not null)
            arguments.Add($"--LoopBridge:Scheduling={options.Scheduling}");
        if (options.Loops is not null)
            arguments.Add($"--LoopBridge:LoopCount={options.Loops}");
        return new Variant("loopbridge", [.. arguments, .. options.With]);
    }

    /// <summary>Whether it is the stock side, and not one that the user chose.</summary>
    public bool IsStock => Name == Stock;

    public override string ToString() => $"{Name}: {string.Join(' ', Arguments)}";
}
