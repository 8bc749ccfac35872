using System.Diagnostics;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>The end of a group, whoever asks for it and whatever holds its threads at that moment.</summary>
[Collection(NonParallel.Name)]
public sealed class GroupEndTests : IDisposable
{
    // As long as a group waits for a thread that does not come.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TestGroups _groups = new();

    public void Dispose() => _groups.Dispose();

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Dispose_WhileAGuestHoldsAThread_ClosesTheLoopWithoutIt(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        TestGuest guest = await _groups.InviteBlockingAsync(member);
        await guest.Began;

        AssertDisposesInTime(group);
        Assert.True(guest.HasLost);
        Assert.False(guest.Ended.IsCompleted);
        Assert.False(member.Loop.AddCallback(static () => { }));
        _groups.Release.Set();
        await guest.Ended;
        Assert.True(SpinWait.SpinUntil(() => !guest.Thread!.IsAlive, Deadline.Default));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Dispose_ByAGuest_ClosesTheLoopUnderIt(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopGroup group = _groups.Create(mode, driver, count: 2);
        LoopMember member = group.Acquire();
        bool open = true;
        var guest = new TestGuest(() =>
        {
            AssertDisposesInTime(group);
            open = member.Loop.AddCallback(static () => { });
        });
        await member.DoAsync(() => member.Invite(guest));
        await guest.Ended;
        Assert.False(open);
        Assert.True(guest.HasLost);
        Assert.Empty(_groups.Logs.AtLeast(LogLevel.Warning));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Dispose_ByACallbackOfTheLoop_ClosesItWhenTheTurnHasEnded(LoopBridgeMode mode, LoopDriver driver)
    {
        LeakCheck leaks = LeakCheck.Begin();
        LoopGroup group = _groups.Create(mode, driver, count: 2);
        LoopMember member = group.Acquire();
        Thread? thread = null;
        bool ranAfter = false;
        await member.DoAsync(() =>
        {
            thread = Thread.CurrentThread;
            AssertDisposesInTime(group);
            Assert.True(member.Loop.IsOnLoopThread);
            member.Loop.CallBeforePoll(_ => ranAfter = true, null);
        });

        Assert.True(SpinWait.SpinUntil(() => !thread!.IsAlive, Deadline.Default));
        Assert.True(ranAfter);
        Assert.All(group.Members, static other => Assert.False(other.Loop.AddCallback(static () => { })));
        leaks.Verify();
        Assert.Empty(_groups.Logs.AtLeast(LogLevel.Warning));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Dispose_ByCallbackAndOutsideAtOnce_DoNotWaitForEachOther(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        using var outside = new ManualResetEventSlim();
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task inside = member.DoAsync(() =>
        {
            began.SetResult();
            Assert.True(outside.Wait(Deadline.Default));
            group.Dispose();
        });
        await began.Task.WithDeadline();
        long begun = Stopwatch.GetTimestamp();
        Task other = Task.Run(
            () =>
            {
                outside.Set();
                group.Dispose();
            },
            TestContext.Current.CancellationToken);
        await inside;
        await other.WithDeadline();
        Assert.True(Stopwatch.GetElapsedTime(begun) < Patience);
        Assert.Empty(_groups.Logs.AtLeast(LogLevel.Warning));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Dispose_WithWorkQueued_RunsItNonetheless(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopGroup group = _groups.Create(mode, driver);
        group.Start();
        await group.Members[0].DoAsync(static () => { });
        group.Dispose();
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        group.Workers.Queue(new WorkItem(ran.SetResult));
        await ran.Task.WithDeadline();
    }

    private static void AssertDisposesInTime(LoopGroup group)
    {
        long begun = Stopwatch.GetTimestamp();
        group.Dispose();
        Assert.True(Stopwatch.GetElapsedTime(begun) < Patience, "It has waited for a thread that did not come.");
    }
}
