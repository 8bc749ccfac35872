using LoopBridge;
using LoopBridge.Loops;
using Microsoft.Extensions.Options;

namespace WebApp.Http;

/// <summary>
/// One loop in the answer of <c>/loops</c>. The lag is how long a callback waited there just now. Mode, scheduling (of endpoints that choose
/// none) and worker threads are the same for all.
/// </summary>
internal sealed record LoopReport(
    string Name,
    int ThreadId,
    string Driver,
    string Mode,
    string Scheduling,
    int Connections,
    long Turns,
    long Callbacks,
    int Timers,
    double LagMilliseconds,
    long Overstays,
    long HandOvers,
    int BusyWorkers,
    int MaxWorkers)
{
    internal static async Task<LoopReport[]> GetAsync(LoopGroup loops, IOptions<LoopBridgeOptions> options)
        => await Task.WhenAll(loops.Members.Select(member => OfAsync(member, loops, options.Value)));

    private static async Task<LoopReport> OfAsync(LoopMember member, LoopGroup loops, LoopBridgeOptions options)
    {
        TimeSpan lag = await member.MeasureLagAsync();
        LoopStatistics loop = member.GetStatistics();
        return new LoopReport(
            loop.Name,
            loop.ThreadId,
            loop.Driver,
            options.Mode.ToString(),
            options.Scheduling.ToString(),
            member.Connections,
            loop.Turns,
            loop.Callbacks,
            loop.PendingTimeouts,
            lag.TotalMilliseconds,
            member.Overstays,
            member.HandOvers,
            loops.BusyWorkers,
            loops.MaxWorkers);
    }
}
