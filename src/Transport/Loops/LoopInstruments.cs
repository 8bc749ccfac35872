using System.Diagnostics.Metrics;

namespace LoopBridge.Loops;

/// <summary>What the watchdog counts, on the meter of whoever hosts the group.</summary>
internal sealed class LoopInstruments(Meter meter)
{
    private readonly Counter<long> _handOvers = meter.CreateCounter<long>(
        "loopbridge.loop.handovers", "{handover}", "Times a loop went on with another thread because HTTP code held its own.");

    private readonly Counter<long> _overstays = meter.CreateCounter<long>(
        "loopbridge.loop.overstays", "{overstay}", "Runs of HTTP code that held a loop's thread beyond the limit, by endpoint.");

    // A look each 5 ms gives nothing finer.
    private readonly Histogram<double> _lag = meter.CreateHistogram(
        "loopbridge.loop.lag",
        "s",
        "How long ago a busy loop last looked at its sockets, sampled.",
        tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });

    internal void HandedOver(LoopMember member) => _handOvers.Add(1, Tag(member));

    internal void Overstayed(LoopMember member, string? origin)
    {
        if (origin is null)
        {
            _overstays.Add(1, Tag(member));
        }
        else
        {
            _overstays.Add(1, Tag(member), new KeyValuePair<string, object?>("loopbridge.endpoint", origin));
        }
    }

    internal void Lagged(LoopMember member, TimeSpan lag)
    {
        if (_lag.Enabled)
        {
            _lag.Record(lag.TotalSeconds, Tag(member));
        }
    }

    private static KeyValuePair<string, object?> Tag(LoopMember member) => new("loopbridge.loop", member.Name);
}
