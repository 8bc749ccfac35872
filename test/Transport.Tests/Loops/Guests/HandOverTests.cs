using System.Collections.Concurrent;
using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>A guest that overstays loses the loop, which goes on in mid-turn as if nothing had happened.</summary>
public sealed class HandOverTests : IDisposable
{
    private readonly TestGroups _groups = new();

    public void Dispose() => _groups.Dispose();

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Run_OverstayingAfterACallback_TheTurnGoesOnWithTheNextCallback(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        TestGuest guest = TestGuest.Blocking(_groups.Release);
        var invitedBehind = new TestGuest();
        long turnOfGuest = 0;
        long turnOfNext = 0;
        var next = new TaskCompletionSource<(bool OnLoop, IEventLoop? Current, Thread Thread)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await member.DoAsync(() =>
        {
            member.Loop.AddCallback(() =>
            {
                turnOfGuest = member.GetStatistics().Turns;
                member.Invite(guest);
                member.Invite(invitedBehind);
            });
            member.Loop.AddCallback(() =>
            {
                turnOfNext = invitedBehind.Thread is null ? -1 : member.GetStatistics().Turns;
                next.SetResult((member.Loop.IsOnLoopThread, CurrentLoop.Value, Thread.CurrentThread));
            });
        });

        await guest.Lost;
        (bool onLoop, IEventLoop? current, Thread thread) = await next.Task.WithDeadline();
        Assert.True(onLoop);
        Assert.Same(member.Loop, current);
        Assert.Equal(turnOfGuest, turnOfNext);
        Assert.NotSame(guest.Thread, thread);
        if (!invitedBehind.HasLost) // which takes a machine that holds it up
        {
            Assert.Same(thread, invitedBehind.Thread);
        }

        Assert.Equal("LoopBridge loop-0", thread.Name);
        Assert.Equal(thread.ManagedThreadId, member.GetStatistics().ThreadId);

        _groups.Release.Set();
        await guest.Ended;
        await member.DoAsync(static () => { });
        Assert.Equal(thread.ManagedThreadId, member.GetStatistics().ThreadId);
        Assert.Contains(_groups.Logs.Entries, static entry => entry.Id.Name == "LoopHandedOver");
        Assert.Empty(_groups.Logs.AtLeast(LogLevel.Warning));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Run_OverstayingAfterAHandler_TheTurnGoesOnWithTheNextEventOfTheBatch(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Sockets = 8;
        SocketPair[] pairs = [.. Enumerable.Range(0, Sockets).Select(static _ => SocketPair.Tcp())];
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        TestGuest guest = TestGuest.Blocking(_groups.Release);
        var turns = new ConcurrentQueue<long>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // All are readable before the loop polls again: one poll finds them all.
        await member.DoAsync(() =>
        {
            foreach (SocketPair pair in pairs)
            {
                member.Loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (handle, _) =>
                {
                    member.Loop.RemoveHandler(handle);
                    turns.Enqueue(member.GetStatistics().Turns);
                    if (turns.Count == 1)
                    {
                        member.Invite(guest);
                    }

                    if (turns.Count == Sockets)
                    {
                        all.SetResult();
                    }
                });
                pair.Far.Send((ReadOnlySpan<byte>)[1]);
            }

            Assert.All(pairs, static pair => Assert.True(pair.Near.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead)));
        });

        await all.Task.WithDeadline();
        Assert.True(guest.HasLost);
        Assert.Single(turns.Distinct());
        _groups.Release.Set();
        await guest.Ended;
        group.Dispose();
        Array.ForEach(pairs, static pair => pair.Dispose());
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task OnOvertaken_IsCalledOffTheLoopBeforeItGoesOn(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        var order = new ConcurrentQueue<string>();
        (bool OnLoop, bool IsCurrent, Thread? Thread) seen = default;
        var guest = new TestGuest(() => Assert.True(_groups.Release.Wait(Deadline.Default)), () =>
        {
            order.Enqueue("overtaken");
            seen = (member.Loop.IsOnLoopThread, CurrentLoop.Value == member.Loop, Thread.CurrentThread);
            throw new InvalidDataException("of the guest");
        });
        Thread? goesOn = null;
        await member.DoAsync(() =>
        {
            member.Loop.AddCallback(() => member.Invite(guest));
            member.Loop.AddCallback(() =>
            {
                order.Enqueue("next");
                goesOn = Thread.CurrentThread;
            });
        });
        await member.DoAsync(static () => { });
        Assert.Equal(["overtaken", "next"], order);
        Assert.False(seen.OnLoop);
        Assert.False(seen.IsCurrent);
        Assert.Same(goesOn, seen.Thread);
        Assert.Equal("of the guest", Assert.Single(_groups.Logs.WaitAndTake(LogLevel.Error)).Exception?.Message);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Run_ThrowingAfterItLostTheLoop_IsReportedOnTheLoop(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        var told = new TaskCompletionSource<(string Message, bool OnLoop)>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.Loop.ExceptionHandler = (exception, _) => told.SetResult((exception.Message, member.Loop.IsOnLoopThread));
        var guest = new TestGuest(() =>
        {
            Assert.True(_groups.Release.Wait(Deadline.Default));
            throw new InvalidDataException("late");
        });
        await member.DoAsync(() => member.Invite(guest));
        await guest.Lost;
        _groups.Release.Set();
        Assert.Equal(("late", true), await told.Task.WithDeadline());
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Run_OverstayingOneAfterTheOther_EachLosesTheLoopToAnotherThread(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        TestGuest[] guests = [.. Enumerable.Range(0, 5).Select(_ => TestGuest.Blocking(_groups.Release))];
        await member.DoAsync(() => Array.ForEach(guests, member.Invite));
        await Task.WhenAll(guests.Select(static guest => guest.Lost));
        Assert.Equal(5, guests.Select(static guest => guest.Thread).Distinct().Count());
        await member.DoAsync(static () => { });
        Assert.Equal(5, group.BusyWorkers);
        _groups.Release.Set();
        await Task.WhenAll(guests.Select(static guest => guest.Ended));
        Assert.True(SpinWait.SpinUntil(() => group.BusyWorkers == 0, Deadline.Default));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Run_OverstayingWithNoSpareThread_KeepsTheLoopAndIsLoggedOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopSupervision scarce = TestGroups.Patient with { OverstayLimit = TimeSpan.FromMilliseconds(4), MaxWorkerThreads = 1 };
        using LoopGroup group = _groups.Create(mode, driver, special: scarce);
        LoopMember member = group.Acquire();
        using var worker = new ManualResetEventSlim();
        group.Workers.Queue(new WorkItem(() => Assert.True(worker.Wait(Deadline.Default))));
        TestGuest guest = await _groups.InviteBlockingAsync(member);
        await guest.Began;
        LogEntry entry = Assert.Single(_groups.Logs.WaitAndTake(LogLevel.Warning));
        Assert.Equal("NoSpareThread", entry.Id.Name);
        Assert.Contains(nameof(TestGuest), entry.Message, StringComparison.Ordinal);
        Assert.False(guest.HasLost);

        // As soon as there is one, it is used.
        worker.Set();
        await guest.Lost;
        await member.DoAsync(static () => { });
        Assert.Empty(_groups.Logs.AtLeast(LogLevel.Warning));
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Stop_OfLoopAndReactorWhileAGuestHoldsAThread_LeavesTheLoopTurning(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = _groups.Create(mode, driver);
        LoopMember member = group.Acquire();
        TestGuest guest = await _groups.InviteBlockingAsync(member);
        await guest.Began;
        member.Loop.Stop();
        await member.DoAsync(member.Loop.Stop);
        await member.DoAsync(member.Loop.GetReactor().Stop);
        await member.DoAsync(static () => { });
        _groups.Release.Set();
        await guest.Ended;
        await member.DoAsync(static () => { });
    }
}
