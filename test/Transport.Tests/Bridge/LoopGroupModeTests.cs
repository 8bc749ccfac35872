using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using LoopBridge.Bridge;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Bridge;

/// <summary>A group's loops and reactors, whichever of them is native: users of both find the same.</summary>
[Collection(NonParallel.Name)]
public sealed class LoopGroupModeTests
{
    // A loaded machine holds up what is innocent, which is logged, too.
    private static readonly LoopSupervision Patient = new() { StallLimit = TimeSpan.FromMinutes(1) };

    public static TheoryData<LoopBridgeMode> Modes => [.. Enum.GetValues<LoopBridgeMode>()];

    [Fact]
    public void Create_ModeThatDoesNotExist_IsRefused()
        => Assert.Throws<ArgumentOutOfRangeException>(() => LoopGroups.Create((LoopBridgeMode)99).Dispose());

    [Theory, MemberData(nameof(Modes))]
    public void LoopAndReactor_OfAMember_FindEachOther(LoopBridgeMode mode)
    {
        using LoopGroup group = LoopGroups.Create(mode, 2);
        foreach (LoopMember member in group.Members)
        {
            IReactor reactor = member.Loop.GetReactor();
            Assert.Same(member.Loop, reactor.GetLoop());
            Assert.Same(reactor, member.Loop.GetReactor());
            Assert.Equal(mode == LoopBridgeMode.LoopOnReactor, reactor is Reactor);
        }
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task UserCode_OfEitherStyle_FindsTheLoopAndStaysOnItsThread(LoopBridgeMode mode)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;
        IReactor reactor = loop.GetReactor();
        var seen = new ConcurrentDictionary<string, (IEventLoop? Current, string? Thread)>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        loop.AddCallback(() => See("callback"));
        reactor.CallFromThread(() =>
        {
            See("cross-thread call");
            reactor.CallBeforePoll(_ => See("before the poll"), null);
            reactor.CallLater(TimeSpan.Zero, () => _ = AwaitAsync());
        });
        await done.Task.WithDeadline();

        Assert.Equal(5, seen.Count);
        Assert.All(seen, place => Assert.Equal((loop, "LoopBridge loop-0"), place.Value));

        async Task AwaitAsync()
        {
            See("delayed call");
            await Task.Run(static () => { }, TestContext.Current.CancellationToken);
            See("after an await");
            done.SetResult();
        }

        void See(string place) => seen[place] = (CurrentLoop.Value, Thread.CurrentThread.Name);
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Stop_OfTheReactor_TellsItsUsersAndLeavesTheLoopTurning(LoopBridgeMode mode)
    {
        using SocketPair loops = SocketPair.Tcp();
        using SocketPair reactors = SocketPair.Tcp();
        using LoopGroup group = LoopGroups.Create(mode, 1);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;
        IReactor reactor = loop.GetReactor();
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handled = new TaskCompletionSource<IoEvents>(TaskCreationOptions.RunContinuationsAsynchronously);
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await OnLoop(loop, () =>
        {
            loop.AddHandler(loops.Near.SafeHandle, IoEvents.Read, (handle, events) =>
            {
                loop.RemoveHandler(handle);
                handled.SetResult(events);
            });
            reactor.AddReader(new Reader(reactors.Near.SafeHandle, lost));
            reactor.AddSystemEventTrigger(SystemEventPhase.After, SystemEvents.Shutdown, stopped.SetResult);
        });

        await OnLoop(loop, reactor.Stop);
        await stopped.Task.WithDeadline();
        await lost.Task.WithDeadline();

        await OnLoop(loop, () => reactor.CallLater(TimeSpan.FromMilliseconds(1), fired.SetResult));
        await fired.Task.WithDeadline();
        await group.Members[0].MeasureLagAsync().WithDeadline();
        Assert.False(handled.Task.IsCompleted);
        loops.Far.Send((ReadOnlySpan<byte>)[1]);
        Assert.Equal(IoEvents.Read, await handled.Task.WithDeadline());
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Stop_OfTheLoop_LeavesItTurning(LoopBridgeMode mode)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;

        loop.Stop();
        await OnLoop(loop, loop.Stop);
        await OnLoop(loop, static () => { });
        await OnLoop(loop, static () => { });

        Assert.NotEqual(0, group.Members[0].GetStatistics().ThreadId);
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Crash_OfTheReactor_LeavesTheLoopTurning(LoopBridgeMode mode)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;
        IReactor reactor = loop.GetReactor();

        await OnLoop(loop, reactor.Crash);
        await OnLoop(loop, static () => { });

        Assert.False(reactor.Running);
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Dispose_ByAnybodyButTheGroup_DoesNothing(LoopBridgeMode mode)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;

        loop.Dispose();
        await OnLoop(loop, loop.Dispose);
        if (loop.GetReactor() is Reactor native)
        {
            native.Dispose();
            await OnLoop(loop, native.Dispose);
        }

        await OnLoop(loop, static () => { });
        Assert.Throws<InvalidOperationException>(() => loop.Close(closeDescriptors: true));
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Exception_FromEitherStyle_IsLoggedOnceWithTheLoop(LoopBridgeMode mode)
    {
        using var logs = new LogCollector();
        using LoopGroup group = LoopGroups.Create(mode, 1, logger: logs.CreateLogger("LoopBridge.Loops"), supervision: Patient);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;

        loop.AddCallback(static () => throw new InvalidDataException("callback"));
        loop.GetReactor().CallFromThread(static () => throw new InvalidDataException("call"));
        await group.Members[0].MeasureLagAsync().WithDeadline();

        LogEntry[] errors = [.. logs.AtLeast(LogLevel.Warning)];
        Assert.Equal(["callback", "call"], errors.Select(static entry => entry.Exception?.Message));
        Assert.All(errors, static entry => Assert.Equal("CallbackFailed", entry.Id.Name));
        Assert.All(errors, static entry => Assert.Contains("loop-0", entry.Message, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task ExceptionHandler_OfTheLoop_IsToldOfBothStyles(LoopBridgeMode mode)
    {
        using var logs = new LogCollector();
        using LoopGroup group = LoopGroups.Create(mode, 1, logger: logs.CreateLogger("LoopBridge.Loops"), supervision: Patient);
        group.Start();
        IEventLoop loop = group.Members[0].Loop;
        var told = new ConcurrentQueue<string>();
        loop.ExceptionHandler = (exception, _) => told.Enqueue(exception.Message);

        loop.AddCallback(static () => throw new InvalidDataException("callback"));
        loop.GetReactor().CallFromThread(static () => throw new InvalidDataException("call"));
        await group.Members[0].MeasureLagAsync().WithDeadline();

        Assert.Equal(["callback", "call"], told);
        Assert.Empty(logs.AtLeast(LogLevel.Warning));
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Statistics_OfAMember_CountWhatBothStylesDo(LoopBridgeMode mode)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1);
        LoopMember member = group.Members[0];
        IReactor reactor = member.Loop.GetReactor();
        Assert.Equal(0, member.GetStatistics().ThreadId);
        group.Start();
        await OnLoop(member.Loop, static () => { });
        LoopStatistics before = member.GetStatistics();

        const int Each = 10;
        for (int i = 0; i < Each; i++)
        {
            await OnLoop(member.Loop, static () => { });
            reactor.CallFromThread(static () => { });
        }

        int thread = 0;
        await OnLoop(member.Loop, () =>
        {
            thread = Environment.CurrentManagedThreadId;
            member.Loop.CallLater(TimeSpan.FromHours(1), static () => { });
            reactor.CallLater(TimeSpan.FromHours(1), static () => { });
        });

        LoopStatistics after = member.GetStatistics();
        Assert.Equal("loop-0", after.Name);
        Assert.Equal(OperatingSystem.IsLinux() ? "epoll" : "managed", after.Driver);
        Assert.Equal(thread, after.ThreadId);
        Assert.Equal((2 * Each) + 1, after.Callbacks - before.Callbacks);
        Assert.True(after.Turns - before.Turns >= Each, $"{after.Turns - before.Turns} turns");
        Assert.Equal(2, after.PendingTimeouts - before.PendingTimeouts);
        Assert.Equal(0, after.QueuedCallbacks);
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Idle_AGroup_DoesNotTurn(LoopBridgeMode mode)
    {
        using LoopGroup group = LoopGroups.Create(mode, 1);
        group.Start();
        LoopMember member = group.Members[0];
        await OnLoop(member.Loop, static () => { });

        // A loop that polled would turn while another of the process works through ten thousand turns.
        using LoopGroup busy = LoopGroups.Create(mode, 1);
        busy.Start();
        long before = member.GetStatistics().Turns;
        for (int i = 0; i < 10_000; i++)
        {
            await OnLoop(busy.Members[0].Loop, static () => { });
        }

        Assert.InRange(member.GetStatistics().Turns - before, 0, 1);
    }

    private static Task OnLoop(IEventLoop loop, Action action)
    {
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Assert.True(loop.AddCallback(() =>
        {
            try
            {
                action();
                ran.SetResult();
            }
            catch (Exception e)
            {
                ran.SetException(e); // the test's to see
            }
        }));
        return ran.Task.WithDeadline();
    }

    private sealed class Reader(SafeHandle handle, TaskCompletionSource lost) : IReadDescriptor
    {
        public SafeHandle Handle => handle;

        public Exception? DoRead() => null;

        public void ConnectionLost(Exception reason) => lost.SetResult();
    }
}
