using System.Globalization;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Bridge;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>What supervision costs: nothing while nothing happens, and no object for a guest.</summary>
[Collection(NonParallel.Name)]
public sealed class WatchdogSleepTests
{
    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Idle_AGroup_IsNotLookedAt(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 2, driver);
        group.Start();
        long least = long.MaxValue;

        // The best of some: a loop that was held up at the end of its last turn wakes it once more.
        for (int i = 0; i < 5 && least > 1; i++)
        {
            foreach (LoopMember member in group.Members)
            {
                await member.DoAsync(static () => { });
            }

            Assert.True(SpinWait.SpinUntil(() => group.Watchdog.IsAsleep, Deadline.Default));
            long before = group.Watchdog.Looks;

            // One that is awake would look many times while another group is awake for longer than it takes to fall asleep.
            using (LoopGroup busy = LoopGroups.Create(mode, 1, driver))
            {
                busy.Start();
                while (busy.Watchdog.Looks < 100)
                {
                    await busy.Members[0].DoAsync(static () => { });
                }
            }

            least = group.Watchdog.IsAsleep ? group.Watchdog.Looks - before : least;
        }

        Assert.InRange(least, 0, 1);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task AfterASleep_AGuestThatOverstays_LosesTheLoop(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 2, driver);
        LoopMember member = group.Acquire();
        for (int i = 0; i < 3; i++)
        {
            Assert.True(SpinWait.SpinUntil(() => group.Watchdog.IsAsleep, Deadline.Default));
            using var release = new ManualResetEventSlim();
            TestGuest guest = TestGuest.Blocking(release);
            await member.DoAsync(() => member.Invite(guest));
            await guest.Lost;
            release.Set();
            await guest.Ended;
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Invite_AllocatesNothing(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: new LoopSupervision { OverstayLimit = TimeSpan.FromMinutes(1) });
        LoopMember member = group.Acquire();
        var guest = new CountingGuest();
        double cost = await new AllocationMeter(
            (callback, state) => member.Loop.AddCallback(callback, state),
            meter =>
            {
                guest.Meter = meter;
                member.Invite(guest);
            }).MeasureAsync();
        Assert.True(cost == 0, string.Create(CultureInfo.InvariantCulture, $"{cost} bytes for each guest"));
    }

    private sealed class CountingGuest : ILoopGuest
    {
        internal AllocationMeter? Meter { get; set; }

        public void Run() => Meter!.Count();

        public void OnOvertaken()
        {
        }
    }
}
