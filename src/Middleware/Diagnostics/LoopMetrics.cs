using System.Diagnostics.Metrics;
using LoopBridge.Kestrel;
using LoopBridge.Loops;

namespace LoopBridge.Diagnostics;

/// <summary>
/// The meter <c>LoopBridge</c>: what each loop does, tagged <c>loopbridge.loop</c> with its name, and what the threads beside them do.
/// </summary>
internal sealed class LoopMetrics(IMeterFactory meters, LoopGroup group, AcceptCounters accepting)
{
    internal const string MeterName = "LoopBridge";

    private Meter? _meter;

    internal void Start()
    {
        if (_meter is not null)
        {
            return;
        }

        _meter = meters.Create(MeterName);
        _meter.CreateObservableCounter("loopbridge.loop.turns", Each(static member => member.GetStatistics().Turns), "{turn}", "Turns begun.");
        _meter.CreateObservableCounter("loopbridge.loop.callbacks", Each(static member => member.GetStatistics().Callbacks), "{callback}", "Callbacks run.");
        _meter.CreateObservableUpDownCounter(
            "loopbridge.loop.timeouts", Each(static member => member.GetStatistics().PendingTimeouts), "{timeout}", "Timeouts pending.");
        _meter.CreateObservableUpDownCounter(
            "loopbridge.loop.connections", Each(static member => member.Connections), "{connection}", "Connections placed on the loop.");
        _meter.CreateObservableCounter(
            "loopbridge.loop.placed", Each(static member => member.Placed), "{connection}", "Connections ever placed on the loop, accepted and outbound.");
        _meter.CreateObservableCounter(
            "loopbridge.loop.read_pauses", Each(static member => member.ReadPauses), "{pause}",
            "Times a connection stopped receiving because its reader was behind.");
        _meter.CreateObservableCounter(
            "loopbridge.listener.rejected", () => accepting.Rejected, "{connection}",
            "Connections closed because their endpoint had as many as it may have.");
        _meter.CreateObservableUpDownCounter(
            "loopbridge.workers.count", () => (long)group.Workers.Total, "{thread}", "Worker threads there are, those of the loops among them.");
        _meter.CreateObservableUpDownCounter(
            "loopbridge.workers.busy", () => (long)group.BusyWorkers, "{thread}", "Worker threads that run something else than a loop.");
        _meter.CreateObservableUpDownCounter(
            "loopbridge.workers.queued", () => (long)group.Workers.Waiting, "{item}", "Work that waits for a worker thread.");
        group.Measure(new LoopInstruments(_meter));
    }

    private Func<IEnumerable<Measurement<long>>> Each(Func<LoopMember, long> read) => () => group.Members.Select(
        member => new Measurement<long>(read(member), new KeyValuePair<string, object?>("loopbridge.loop", $"loop-{member.Number}")));
}
