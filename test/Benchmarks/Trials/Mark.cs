using System.Globalization;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What a figure has to reach: a limit of the ratio of both sides, or of the value itself where there is one side only.</summary>
internal sealed record Mark(double Limit, bool IsLeast)
{
    public static Mark AtMost(double limit) => new(limit, IsLeast: false);

    public static Mark AtLeast(double limit) => new(limit, IsLeast: true);

    /// <summary>False for NaN too: what could not be measured reaches nothing.</summary>
    public bool IsMetBy(double value) => IsLeast ? value >= Limit : value <= Limit;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsLeast ? '≥' : '≤')} {Limit:0.##}");
}
