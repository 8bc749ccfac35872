using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The end of a loop, and who may still call it.</summary>
public sealed class CloseTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-CORE-12"), Contract("L-INV-06")]
    public void Dispose_WithHandlers_UnregistersAndLeavesTheDescriptorsOpen(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        EventLoop loop = LoopTesting.NewLoop(driver);
        loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { });
        loop.Dispose();
        loop.Dispose();
        Assert.Equal(1, pair.Near.Send((ReadOnlySpan<byte>)[1]));
        loop.RemoveHandler(pair.Near.SafeHandle);
        Assert.Throws<ObjectDisposedException>(() => loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read));
        Assert.Throws<ObjectDisposedException>(loop.Start);
        pair.Near.Dispose();
        Assert.Equal(1, pair.Far.Receive(new byte[2]));
        Assert.Equal(0, pair.Far.Receive(new byte[2]));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-CORE-13")]
    public async Task AddCallback_RacingWithDispose_NeverThrowsAndNeverRunsAfterwards(LoopDriver driver)
    {
        for (int round = 0; round < 20; round++)
        {
            EventLoop loop = LoopTesting.NewLoop(driver);
            bool closed = false;
            bool ranLate = false;
            var posting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task poster = Task.Run(() =>
            {
                while (loop.AddCallback(() => ranLate |= Volatile.Read(ref closed)))
                {
                    posting.TrySetResult();
                    Thread.Yield();
                }
            }, TestContext.Current.CancellationToken);
            await posting.Task.WithDeadline();
            loop.RunTurns(1);
            loop.Dispose();
            Volatile.Write(ref closed, true);
            await poster.WithDeadline();
            Assert.False(ranLate);
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-CORE-14")]
    public async Task CreateAndDispose_OnSeveralThreads_IsSafe(LoopDriver driver)
    {
        Task[] threads = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                using EventLoop loop = LoopTesting.NewLoop(driver);
                bool ran = false;
                loop.AddCallback(() =>
                {
                    ran = true;
                    loop.Stop();
                });
                loop.Start();
                Assert.True(ran);
            }
        }))];
        await Task.WhenAll(threads).WithDeadline();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-INV-02")]
    public async Task OtherMembers_OffTheLoopThread_ThrowInsteadOfCorrupting(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using var thread = new LoopThread(driver);
        EventLoop loop = thread.Loop;
        LoopTimeout timeout = await thread.Ask(() => loop.CallLater(TimeSpan.FromHours(1), static () => { }));
        Assert.Throws<InvalidOperationException>(() => loop.CallLater(TimeSpan.Zero, static () => { }));
        Assert.Throws<InvalidOperationException>(() => loop.RemoveTimeout(timeout));
        Assert.Throws<InvalidOperationException>(() => loop.AddHandler(pair.Near.SafeHandle, IoEvents.Read, static (_, _) => { }));
        Assert.Throws<InvalidOperationException>(() => loop.UpdateHandler(pair.Near.SafeHandle, IoEvents.Read));
        Assert.Throws<InvalidOperationException>(() => loop.RemoveHandler(pair.Near.SafeHandle));
        Assert.Throws<InvalidOperationException>(loop.Start);
        Assert.Throws<InvalidOperationException>(loop.Dispose);
        Assert.True(timeout.IsPending);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Dispose_OwnedResources_AreAllDisposedAndMaySpeakOnceMore(LoopDriver driver)
    {
        EventLoop loop = LoopTesting.NewLoop(driver);
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

    private sealed class Resource(Action action) : IDisposable, ILoopWork
    {
        public void Dispose() => action();

        public void Run() => action();
    }
}
