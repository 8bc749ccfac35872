using LoopBridge;
using LoopBridge.Loops;
using Microsoft.Extensions.Options;

namespace WebApp.Http;

/// <summary>One loop in the answer of <c>/loops</c>. The lag is how long a callback waited there just now.</summary>
internal sealed record LoopReport(
    string Name, int ThreadId, string Driver, string Mode, int Connections, long Turns, long Callbacks, int Timers, double LagMilliseconds)
{
    internal static async Task<LoopReport[]> GetAsync(LoopGroup loops, IOptions<LoopBridgeOptions> options)
        => await Task.WhenAll(loops.Members.Select(member => OfAsync(member, options.Value.Mode)));

    private static async Task<LoopReport> OfAsync(LoopMember member, LoopBridgeMode mode)
    {
        TimeSpan lag = await member.MeasureLagAsync();
        LoopStatistics loop = member.GetStatistics();
        return new LoopReport(
            loop.Name, loop.ThreadId, loop.Driver, mode.ToString(), member.Connections, loop.Turns, loop.Callbacks, loop.PendingTimeouts, lag.TotalMilliseconds);
    }
}
