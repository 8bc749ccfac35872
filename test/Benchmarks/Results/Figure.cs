namespace LoopBridge.Benchmarks.Results;

/// <summary>One line of a scenario or a trial in the table.</summary>
/// <param name="Title">What it is called; unique within its scenario or trial.</param>
/// <param name="Format">How both sides are written.</param>
/// <param name="Mark">What it has to reach; null if it is told for information.</param>
internal record Figure(string Title, string Format, Mark? Mark = null)
{
    /// <summary>Where its ratio is drawn. Defaults to nowhere.</summary>
    public ChartGroup Chart { get; init; }

    /// <summary>What its bar is called. Defaults to null: as the scenario or trial is.</summary>
    public string? ChartLabel { get; init; }

    /// <summary>Whether only the whole table has it, not the short one for a page. Defaults to false.</summary>
    public bool IsDetail { get; init; }
}
