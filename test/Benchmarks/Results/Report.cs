using System.Text.Json;
using System.Text.Json.Serialization;
using LoopBridge.Benchmarks.Trials;

namespace LoopBridge.Benchmarks.Results;

/// <summary>All of a run: what it ran on, the table, and every single result for those who compute further.</summary>
internal sealed record Report(
    Environs Environment,
    IReadOnlyList<Row> Rows,
    IReadOnlyList<LeftOut> LeftOut,
    IReadOnlyList<Measurement> Measurements,
    IReadOnlyList<TrialResult> Trials)
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // What could not be measured is NaN.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>One report of several runs on the same machine: of a line that more than one has, the later run's stands.</summary>
    public static async Task<Report> ReadAsync(IReadOnlyList<string> files, CancellationToken stop)
    {
        Report? whole = null;
        foreach (string file in files)
        {
            Report part = await ReadAsync(file, stop).ConfigureAwait(false);
            whole = whole is null ? part : whole.MergedWith(part);
        }

        return whole ?? throw new BenchmarkException("--from names no file.");
    }

    public async Task WriteAsync(string file, CancellationToken stop)
    {
        FileStream stream = File.Create(file);
        await using (stream.ConfigureAwait(false))
            await JsonSerializer.SerializeAsync(stream, this, Format, stop).ConfigureAwait(false);
    }

    private static async Task<Report> ReadAsync(string file, CancellationToken stop)
    {
        try
        {
            FileStream stream = File.OpenRead(file);
            await using (stream.ConfigureAwait(false))
            {
                return await JsonSerializer.DeserializeAsync<Report>(stream, Format, stop).ConfigureAwait(false)
                    ?? throw new BenchmarkException($"{file} is empty.");
            }
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new BenchmarkException($"{file} is no report of this benchmark: {e.Message}");
        }
    }

    private Report MergedWith(Report later)
    {
        HashSet<string> again = [.. later.Rows.Select(row => row.Name)];
        return new Report(
            later.Environment,
            [.. Rows.Where(row => !again.Contains(row.Name)).Concat(later.Rows).OrderBy(row => Selection.PlaceOf(row.Name))],
            [.. LeftOut.Where(left => !again.Contains(left.Name) && later.LeftOut.All(other => other.Name != left.Name)), .. later.LeftOut],
            [.. Measurements.Where(measurement => !again.Contains(measurement.Scenario)), .. later.Measurements],
            [.. Trials.Where(trial => !again.Contains(trial.Trial)), .. later.Trials]);
    }
}
