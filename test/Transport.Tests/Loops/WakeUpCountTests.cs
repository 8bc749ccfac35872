using System.Globalization;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>One system call for a burst of posts. The kernel counts them for us: the loop never reads its eventfd back, so the counter
/// holds every wake-up.</summary>
[Collection(NonParallel.Name)]
public sealed class WakeUpCountTests
{
    [Fact]
    public async Task AddCallback_Bursts_WakeAtMostOncePerSleep()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "eventfd is Linux's");
        HashSet<string> before = [.. LeakCheck.Open()];
        using var loop = new EventLoop(new EventLoopOptions { Driver = LoopDriver.Epoll, MakeCurrent = false });
        using var thread = new LoopThread(loop);
        string eventFd = LeakCheck.Open()
            .Single(entry => !before.Contains(entry) && entry.Contains("[eventfd]", StringComparison.Ordinal))
            .Split(' ')[0];

        for (int burst = 0; burst < 50; burst++)
        {
            for (int i = 0; i < 200; i++)
            {
                loop.AddCallback(static () => { });
            }

            await thread.Ask(static () => true);
        }

        long wakeUps = Count(eventFd);
        long turns = loop.GetStatistics().Turns;
        Assert.InRange(wakeUps, 1, turns);

        // A loop that is busy is not asleep.
        using var busy = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        loop.AddCallback(() =>
        {
            busy.Set();
            Assert.True(release.Wait(Deadline.Default));
        });
        Assert.True(busy.Wait(Deadline.Default, TestContext.Current.CancellationToken));
        wakeUps = Count(eventFd);
        for (int i = 0; i < 10_000; i++)
        {
            loop.AddCallback(static () => { });
        }

        Assert.Equal(wakeUps, Count(eventFd));
        release.Set();
    }

    private static long Count(string eventFd)
    {
        const string Field = "eventfd-count:";
        string line = File.ReadLines($"/proc/self/fdinfo/{eventFd}")
            .Single(static text => text.StartsWith(Field, StringComparison.Ordinal));
        return long.Parse(line[Field.Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
