using LoopBridge.Coordination;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Coordination;

/// <summary>For code on a loop whose clock the test moves.</summary>
internal static class VirtualTime
{
    internal static TimeSpan Seconds(this int seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>Lets everything run that can without the clock: a few turns, with some to spare for loops on other engines.</summary>
    internal static async Task SettleAsync(this IEventLoop loop)
    {
        for (int i = 0; i < 8; i++)
        {
            await loop.Moment();
        }
    }

    /// <summary>Moves the clock, and lets everything run that is due then.</summary>
    internal static async Task PassAsync(this IEventLoop loop, ManualTimeProvider clock, TimeSpan time)
    {
        clock.Advance(time);
        await loop.SettleAsync();
    }
}
