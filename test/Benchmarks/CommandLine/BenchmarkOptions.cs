namespace LoopBridge.Benchmarks.CommandLine;

/// <summary>What the command line asked for.</summary>
internal sealed record BenchmarkOptions
{
    /// <summary>How often each side is measured per scenario. Defaults to 5: enough for a median that one bad run cannot move.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Length of one measurement in seconds (whole ones: that is what wrk takes). Defaults to 5.</summary>
    public int Seconds { get; init; } = 5;

    /// <summary>
    /// Load before each measurement in seconds, not counted. Defaults to 5: with the client on the same two cores, the compiler's last
    /// tier was still at work after 2 (pipelined on stock: 350 000 requests per CPU second after 2 s, 500 000 after 6 s).
    /// </summary>
    public int WarmUpSeconds { get; init; } = 5;

    /// <summary>Names of the scenarios and trials to run. Defaults to none, which means all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Whether to run all that the README's table shows. Defaults to false.</summary>
    public bool IsTable { get; init; }

    /// <summary>Reports of earlier runs to show again in place of measuring. Defaults to none.</summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary><c>LoopBridge:Driver</c> of the measured side. Defaults to null: the server decides.</summary>
    public string? Driver { get; init; }

    /// <summary><c>LoopBridge:Scheduling</c> of the measured side. Defaults to null: the server decides.</summary>
    public string? Scheduling { get; init; }

    /// <summary><c>LoopBridge:LoopCount</c> of the measured side. Defaults to null: the server decides.</summary>
    public int? Loops { get; init; }

    /// <summary>More arguments for the measured side. Defaults to none.</summary>
    public IReadOnlyList<string> With { get; init; } = [];

    /// <summary>Arguments of the baseline in place of stock's. Defaults to null: stock.</summary>
    public IReadOnlyList<string>? Against { get; init; }

    /// <summary>A server's assembly to run in place of the sample. Defaults to null: the sample.</summary>
    public string? App { get; init; }

    /// <summary>Run the sample as it was last built. Defaults to false.</summary>
    public bool NoBuild { get; init; }

    /// <summary>File that receives every single result. Defaults to null: none is written.</summary>
    public string? JsonFile { get; init; }

    /// <summary>File that receives the chart. Defaults to null: none is drawn.</summary>
    public string? SvgFile { get; init; }

    /// <summary>
    /// File that receives the table as Markdown; one that exists has it between two comments that say so. Defaults to null: none is
    /// written.
    /// </summary>
    public string? MarkdownFile { get; init; }
}
