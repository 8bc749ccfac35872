using System.Globalization;

namespace LoopBridge.Benchmarks.Results;

/// <summary>
/// Tells when other programs were at work beside a measurement. It still counts (both sides have their share of it), but a reader must
/// know: on a two-core machine a build next door moved a server against itself by more than half.
/// </summary>
internal static class Disturbance
{
    /// <summary>Above what the meter's own error and an idle machine's housekeeping come to.</summary>
    private const double TolerableCores = 0.2;

    /// <summary>For a line about one measurement; empty if it was alone.</summary>
    public static string Of(double othersCores)
        => IsDisturbed(othersCores) ? string.Create(CultureInfo.InvariantCulture, $"   (others took {othersCores:0.0} cores)") : "";

    /// <param name="othersCores">Of each measurement.</param>
    /// <param name="output">Where to tell.</param>
    public static void Warn(IReadOnlyCollection<double> othersCores, TextWriter output)
    {
        int disturbed = othersCores.Count(IsDisturbed);
        if (disturbed > 0)
        {
            output.WriteLine(
                $"Others were at work during {disturbed} of {othersCores.Count} measurements (more than {TolerableCores} cores):" +
                " trust no ratio here without repeating it on a quiet machine.");
        }
    }

    private static bool IsDisturbed(double othersCores) => othersCores > TolerableCores;
}
