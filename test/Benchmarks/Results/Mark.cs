using System.Globalization;

namespace LoopBridge.Benchmarks.Results;

/// <summary>
/// What a figure has to reach: a limit of the ratio of both sides; or of the measured side's own value, where there is one side only or the
/// mark says so.
/// </summary>
internal sealed record Mark(double Limit, bool IsLeast, bool IsOfValue)
{
    public static Mark AtMost(double limit) => new(limit, IsLeast: false, IsOfValue: false);

    public static Mark AtLeast(double limit) => new(limit, IsLeast: true, IsOfValue: false);

    /// <summary>Of the measured side, whatever the other one comes to.</summary>
    public static Mark ValueAtMost(double limit) => new(limit, IsLeast: false, IsOfValue: true);

    /// <summary>False for NaN too: what could not be measured reaches nothing.</summary>
    public bool IsMetBy(double value) => IsLeast ? value >= Limit : value <= Limit;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsLeast ? '≥' : '≤')} {Limit:0.##}");
}
