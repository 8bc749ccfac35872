using System.Text.Json;
using LoopBridge.Benchmarks.Trials;

namespace LoopBridge.Benchmarks.Results;

/// <summary>Every single result with what it was measured on, for those who compute further.</summary>
internal sealed record JsonReport(Environs Environment, IReadOnlyList<Measurement> Measurements, IReadOnlyList<TrialResult> Trials)
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public async Task WriteAsync(string file, CancellationToken stop)
    {
        FileStream stream = File.Create(file);
        await using (stream.ConfigureAwait(false))
            await JsonSerializer.SerializeAsync(stream, this, Format, stop).ConfigureAwait(false);
    }
}
