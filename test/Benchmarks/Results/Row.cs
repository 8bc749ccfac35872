using System.Globalization;
using System.Text.Json.Serialization;

namespace LoopBridge.Benchmarks.Results;

/// <summary>
/// One line of the table: the medians of both sides, and the median of the rounds' ratios, each of which compares what was measured
/// seconds apart. Its spread tells how far the ratio can be trusted. Plain values, so that the JSON holds the table as it was printed.
/// </summary>
internal sealed record Row
{
    private const string None = "-";

    /// <summary>As <c>--only</c> calls the scenario or trial.</summary>
    public required string Name { get; init; }

    /// <summary>What was done, for people.</summary>
    public required string Work { get; init; }

    public required string Figure { get; init; }

    /// <summary>What it is compared with, by name; empty where the figure stands for itself.</summary>
    public string Beside { get; init; } = "";

    public double? BesideValue { get; init; }

    /// <summary>Null where nothing was measured.</summary>
    public double? Value { get; init; }

    public double? Ratio { get; init; }

    /// <summary>Of all rounds: of the ratios, or of the values where there is no ratio.</summary>
    public double? Least { get; init; }

    public double? Most { get; init; }

    public int Rounds { get; init; }

    public required string Format { get; init; }

    /// <summary>What it has to reach; null if it is told for information.</summary>
    public Mark? Mark { get; init; }

    /// <summary>Null where there is no mark.</summary>
    public bool? IsMet { get; init; }

    public ChartGroup Chart { get; init; }

    public string? ChartLabel { get; init; }

    public bool IsDetail { get; init; }

    [JsonIgnore]
    public string BesideText => Text(BesideValue, Format);

    [JsonIgnore]
    public string ValueText => Text(Value, Format);

    [JsonIgnore]
    public string RatioText => Text(Ratio, "0.00");

    [JsonIgnore]
    public string Spread
    {
        get
        {
            string format = Ratio is null ? Format : "0.00";
            return Least is null ? None : $"{Text(Least, format)} - {Text(Most, format)}";
        }
    }

    [JsonIgnore]
    public string MarkText => Mark is null ? "" : Mark.IsOfValue && Ratio is not null ? $"{Mark} itself" : $"{Mark}";

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? None;
}
