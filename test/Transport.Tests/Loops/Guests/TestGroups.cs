using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>The groups of a test, what they log, and what lets go at its end whoever still blocks a thread of theirs.</summary>
/// <param name="supervision">Of the groups. Null: <see cref="Patient"/>.</param>
internal sealed class TestGroups(LoopSupervision? supervision = null) : IDisposable
{
    /// <summary>A loaded machine holds up what is innocent, and that is seldom what is looked at.</summary>
    internal static LoopSupervision Patient { get; } = new() { StallLimit = TimeSpan.FromMinutes(1) };

    internal LogCollector Logs { get; } = new();

    internal ManualResetEventSlim Release { get; } = new();

    public void Dispose()
    {
        Release.Set();
        Release.Dispose();
        Logs.Dispose();
    }

    internal LoopGroup Create(LoopBridgeMode mode, LoopDriver driver, int count = 1, LoopSupervision? special = null)
        => LoopGroups.Create(mode, count, driver, logger: Logs.CreateLogger("LoopBridge.Loops"), supervision: special ?? supervision ?? Patient);

    /// <summary>Invites a guest that has the loop's thread until <see cref="Release"/>.</summary>
    internal async Task<TestGuest> InviteBlockingAsync(LoopMember member)
    {
        TestGuest guest = TestGuest.Blocking(Release);
        await member.DoAsync(() => member.Invite(guest));
        return guest;
    }
}
