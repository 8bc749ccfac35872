namespace LoopBridge.Transport.Tests.Sockets;

internal static class Spin
{
    /// <summary>
    /// A loop with nothing to do makes no turns. Each probe costs a turn or two itself; a spinning loop makes thousands meanwhile, because
    /// the probes wait on a clock that the loop does not have.
    /// </summary>
    internal static async Task AssertNoneAsync(TestLoop loop, long allowed = 20)
    {
        await loop.SettleAsync();
        long before = loop.Turns;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (int i = 0; i < 20; i++)
        {
            await timer.WaitForNextTickAsync();
        }

        Assert.InRange(loop.Turns - before, 0, allowed);
    }
}
