namespace LoopBridge.Benchmarks.Results;

/// <summary>The little arithmetic the table needs.</summary>
internal static class Statistics
{
    /// <summary>The middle value, or the mean of the two; NaN if there is none.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0 ? double.NaN : sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
