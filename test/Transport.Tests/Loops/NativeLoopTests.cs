using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>What the native loop alone has: its statistics, and what the engine asks of it beside the public members.</summary>
public sealed class NativeLoopTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public async Task AddCallback_BurstWhileTheLoopIsBusy_IsOneTurn(LoopDriver driver)
    {
        using EventLoop loop = NewLoop(driver);
        using var thread = new LoopThread(loop);
        using var busy = new ManualResetEventSlim();
        using var burst = new ManualResetEventSlim();
        loop.AddCallback(() =>
        {
            busy.Set();
            Assert.True(burst.Wait(Deadline.Default));
        });
        Assert.True(busy.Wait(Deadline.Default, TestContext.Current.CancellationToken));
        long before = loop.GetStatistics().Turns;
        for (int i = 0; i < 10_000; i++)
        {
            loop.AddCallback(static () => { });
        }

        Task<LoopStatistics> after = thread.Ask(loop.GetStatistics);
        burst.Set();
        Assert.Equal(before + 1, (await after).Turns);
        Assert.Equal(10_002, (await after).Callbacks);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void GetStatistics_Queues_CountWhatWaitsAndNothingElse(LoopDriver driver)
    {
        using EventLoop loop = NewLoop(driver);
        loop.AddCallback(static () => { });
        LoopTimeout timeout = loop.CallLater(TimeSpan.MaxValue, static () => { });
        Assert.Equal((1, 1), (loop.GetStatistics().QueuedCallbacks, loop.GetStatistics().PendingTimeouts));
        loop.RemoveTimeout(timeout);
        loop.RunTurns(1);
        Assert.Equal((0, 0), (loop.GetStatistics().QueuedCallbacks, loop.GetStatistics().PendingTimeouts));
        Assert.Equal(7, loop.RunSync(static _ => Task.FromResult(7), Deadline.Default));
        Assert.Equal((0, 0), (loop.GetStatistics().QueuedCallbacks, loop.GetStatistics().PendingTimeouts));
        loop.AddCallback(static () => { });
        loop.Dispose();
        Assert.Equal(0, loop.GetStatistics().QueuedCallbacks);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public async Task Send_LoopClosedMeanwhile_ThrowsInsteadOfWaitingForEver(LoopDriver driver)
    {
        EventLoop loop = NewLoop(driver);
        Task sending = Task.Factory.StartNew(
            () => loop.SynchronizationContext.Send(static _ => { }, null),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(SpinWait.SpinUntil(() => loop.GetStatistics().QueuedCallbacks > 0, Deadline.Default));
        loop.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sending.WithDeadline());
        Assert.Throws<ObjectDisposedException>(() => loop.SynchronizationContext.Send(static _ => { }, null));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Dispose_OwnedResources_AreAllDisposedAndMaySpeakOnceMore(LoopDriver driver)
    {
        EventLoop loop = NewLoop(driver);
        IEventLoop engine = loop;
        var reported = new List<Exception>();
        loop.ExceptionHandler = (e, _) => reported.Add(e);
        var said = new List<string>();
        engine.Own(new Resource(() => throw new InvalidOperationException("first")));
        engine.Own(new Resource(() =>
        {
            Assert.True(loop.IsOnLoopThread);
            engine.Post(new Resource(() => said.Add("last words")));
            engine.AtTurnEnd(new Resource(() => said.Add("last send")));
        }));
        var disowned = new Resource(() => said.Add("disowned"));
        engine.Own(disowned);
        engine.Disown(disowned);
        loop.AddCallback(() => said.Add("a user's callback"));
        loop.Dispose();
        Assert.Equal(["last send", "last words"], said);
        Assert.Single(reported);
        Assert.False(loop.IsOnLoopThread);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void AtTurnEnd_FromCallbackAndHandler_RunsBeforeTheNextPoll(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = NewLoop(driver);
        IEventLoop engine = loop;
        var order = new List<string>();
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        Assert.True(pair.Near.Poll(Deadline.Default, System.Net.Sockets.SelectMode.SelectRead));
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, (handle, _) =>
        {
            order.Add("handler");
            engine.AtTurnEnd(new Resource(() => order.Add("end of handlers")));
            loop.RemoveHandler(handle);
            loop.AddCallback(() => order.Add("next turn"));
        });
        loop.AddCallback(() => engine.AtTurnEnd(new Resource(() =>
        {
            order.Add("end of callbacks");
            engine.AtTurnEnd(new Resource(() => order.Add("later")));
        })));
        loop.AddCallback(() => order.Add("callback"));
        loop.RunTurns(2);
        Assert.Equal(["callback", "end of callbacks", "handler", "later", "end of handlers", "next turn"], order);
    }

    [Fact]
    public void Close_LoopOfAGroup_IsRefused()
    {
        using var group = new LoopGroup(1);
        Assert.Throws<InvalidOperationException>(() => group.Members[0].Loop.Close(closeDescriptors: true));
    }

    private static EventLoop NewLoop(LoopDriver driver) => new(new EventLoopOptions { Driver = driver, MakeCurrent = false });

    private sealed class Resource(Action action) : IDisposable, ILoopWork
    {
        public void Dispose() => action();

        public void Run() => action();
    }
}
