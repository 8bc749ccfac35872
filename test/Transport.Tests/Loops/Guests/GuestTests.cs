using System.Collections.Concurrent;
using LoopBridge.Bridge;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops.Guests;

/// <summary>What a guest may expect: where it runs, when, and as whom.</summary>
public sealed class GuestTests
{
    // No guest here overstays, but a loaded machine may hold one up.
    private static readonly LoopSupervision Patient = new() { OverstayLimit = TimeSpan.FromMinutes(1), StallLimit = TimeSpan.FromMinutes(1) };

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Invite_FromACallback_RunsOnTheThreadOffTheLoopBeforeTheNextCallback(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: Patient);
        LoopMember member = group.Acquire();
        var order = new ConcurrentQueue<string>();
        Thread? thread = null;
        (bool OnLoop, bool OnReactor, IEventLoop? Current, SynchronizationContext? Context) seen = default;
        var guest = new TestGuest(() =>
        {
            order.Enqueue("guest");
            seen = (member.Loop.IsOnLoopThread, member.Loop.GetReactor().IsInReactorThread, CurrentLoop.Value, SynchronizationContext.Current);
        });
        var second = new TestGuest(() => order.Enqueue("second guest"));

        await member.DoAsync(() =>
        {
            thread = Thread.CurrentThread;
            member.Loop.AddCallback(() =>
            {
                member.Invite(guest);
                member.Invite(second);
                order.Enqueue("callback");
            });
            member.Loop.AddCallback(() => order.Enqueue($"next callback {member.Loop.IsOnLoopThread} {CurrentLoop.Value == member.Loop}"));
        });
        await second.Ended;
        await member.DoAsync(static () => { });

        Assert.Equal(["callback", "guest", "second guest", "next callback True True"], order);
        Assert.Same(thread, guest.Thread);
        Assert.False(seen.OnLoop);
        Assert.False(seen.OnReactor);
        Assert.NotSame(member.Loop, seen.Current);
        Assert.Null(seen.Context);
        Assert.False(guest.HasLost);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Invite_FromTimersHandlersAndTheTurnsEnd_RunsEachOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: Patient);
        LoopMember member = group.Acquire();
        TestGuest[] guests = [.. Enumerable.Range(0, 5).Select(static _ => new TestGuest())];
        int runs = 0;
        TestGuest counted = new(() => Interlocked.Increment(ref runs));

        await member.DoAsync(() =>
        {
            member.Loop.CallLater(TimeSpan.Zero, _ => member.Invite(guests[0]), null);
            member.Loop.CallBeforePoll(_ => member.Invite(guests[1]), null);
            ((IEventLoop)member.Loop).AtTurnEnd(new Work(() => member.Invite(guests[2])));
            member.Loop.GetReactor().CallLater(TimeSpan.Zero, () => member.Invite(guests[3]));
            member.Loop.AddHandler(pair.Near.SafeHandle, LoopBridge.Drivers.IoEvents.Read, (handle, _) =>
            {
                member.Loop.RemoveHandler(handle);
                member.Invite(guests[4]);
                member.Invite(counted);
            });
        });
        pair.Far.Send((ReadOnlySpan<byte>)[1]);

        await Task.WhenAll(guests.Select(static guest => guest.Ended));
        await counted.Ended;
        await member.DoAsync(static () => { });
        Assert.Equal(1, runs);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Invite_ManyInOneCallback_KeepsTheOrder(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: Patient);
        LoopMember member = group.Acquire();
        var order = new ConcurrentQueue<int>();
        const int Many = 100;
        await member.DoAsync(() =>
        {
            for (int i = 0; i < Many; i++)
            {
                int number = i;
                member.Invite(new TestGuest(() => order.Enqueue(number)));
            }
        });
        await member.DoAsync(static () => { });
        Assert.Equal(Enumerable.Range(0, Many), order);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Invite_OffTheLoopOrByAGuest_IsRefused(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: Patient);
        LoopMember member = group.Acquire();
        await member.DoAsync(static () => { });
        Assert.Throws<InvalidOperationException>(() => member.Invite(new TestGuest()));

        Exception? refused = null;
        var guest = new TestGuest(() => refused = Record.Exception(() => member.Invite(new TestGuest())));
        await member.DoAsync(() => member.Invite(guest));
        await guest.Ended;
        Assert.IsType<InvalidOperationException>(refused);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Run_Throwing_IsReportedOnceOnTheLoopWhichGoesOn(LoopBridgeMode mode, LoopDriver driver)
    {
        using var logs = new LogCollector();
        using LoopGroup group = LoopGroups.Create(
            mode, 1, driver, logger: logs.CreateLogger("LoopBridge.Loops"), supervision: Patient);
        LoopMember member = group.Acquire();
        var next = new TestGuest();
        await member.DoAsync(() =>
        {
            member.Invite(new TestGuest(static () => throw new InvalidDataException("guest")));
            member.Invite(next);
        });
        await next.Ended;
        await member.DoAsync(static () => { });
        Assert.Equal("guest", logs.TakeSingle(LogLevel.Error).Exception?.Message);

        bool onLoop = false;
        var told = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.Loop.ExceptionHandler = (exception, _) =>
        {
            onLoop = member.Loop.IsOnLoopThread;
            told.SetResult(exception);
        };
        await member.DoAsync(() => member.Invite(new TestGuest(static () => throw new InvalidDataException("again"))));
        Assert.Equal("again", (await told.Task.WithDeadline()).Message);
        Assert.True(onLoop);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Run_LeavingAContextBehind_LeavesItToNobody(LoopBridgeMode mode, LoopDriver driver)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: Patient);
        LoopMember member = group.Acquire();
        var ambient = new AsyncLocal<string?>();
        string? seen = "nothing";
        SynchronizationContext? context = new();
        var first = new TestGuest(() =>
        {
            ambient.Value = "of the first";
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
        });
        var second = new TestGuest(() =>
        {
            seen = ambient.Value;
            context = SynchronizationContext.Current;
        });
        await member.DoAsync(() =>
        {
            member.Invite(first);
            member.Invite(second);
        });
        await second.Ended;
        Assert.Null(seen);
        Assert.Null(context);
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithModes), MemberType = typeof(DriverCases))]
    public async Task Invite_WhileTheLoopCloses_RunsElsewhere(LoopBridgeMode mode, LoopDriver driver)
    {
        LoopGroup group = LoopGroups.Create(mode, 1, driver, supervision: Patient);
        LoopMember member = group.Acquire();
        var guest = new TestGuest();
        await member.DoAsync(() => ((IEventLoop)member.Loop).Own(new Resource(() => member.Invite(guest))));
        group.Dispose();
        await guest.Ended;
        Assert.True(guest.Thread!.IsThreadPoolThread);

        var late = new TestGuest();
        member.Invite(late);
        await late.Ended;
    }

    private sealed class Work(Action run) : ILoopWork
    {
        public void Run() => run();
    }

    private sealed class Resource(Action dispose) : IDisposable
    {
        public void Dispose() => dispose();
    }
}
