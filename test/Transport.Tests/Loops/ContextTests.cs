using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The synchronisation context and the task scheduler of a loop.</summary>
public sealed class ContextTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-FUT-15")]
    public void Await_InACallback_ContinuesOnTheLoopInALaterTurnInOrder(LoopDriver driver)
    {
        using EventLoop loop = LoopTesting.NewLoop(driver);
        var order = new List<string>();
        async void Body()
        {
            order.Add("before");
            await Task.Yield();
            order.Add(loop.IsOnLoopThread ? "after" : "elsewhere");
        }

        loop.AddCallback(Body);
        loop.AddCallback(() =>
        {
            order.Add("same turn");
            loop.AddCallback(() => order.Add("posted later"));
        });
        loop.RunTurns(2);
        Assert.Equal(["before", "same turn", "after", "posted later"], order);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    [Contract("L-FUT-15")]
    public void Current_AfterACallbackReplacedIt_IsTheLoopsAgain(LoopDriver driver)
    {
        using SocketPair pair = SocketPair.Tcp();
        using EventLoop loop = LoopTesting.NewLoop(driver);
        var seen = new List<SynchronizationContext?>();
        void Look(object? state)
        {
            seen.Add(SynchronizationContext.Current);
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
            throw new InvalidOperationException("mine");
        }

        var before = new SynchronizationContext();
        SynchronizationContext.SetSynchronizationContext(before);
        loop.SynchronizationContext.Post(Look, null);
        loop.SynchronizationContext.Post(Look, null);
        using (ExecutionContext.SuppressFlow())
        {
            loop.CallAt(TimeSpan.Zero, Look, null);
            loop.CallAt(TimeSpan.Zero, Look, null);
            loop.AddHandler(pair.Near.SafeHandle, IoEvents.Write, (handle, _) =>
            {
                loop.RemoveHandler(handle);
                Look(null);
            });
        }

        loop.RunTurns(2);
        Assert.Equal(5, seen.Count);
        Assert.All(seen, context => Assert.Same(loop.SynchronizationContext, context));
        Assert.Same(before, SynchronizationContext.Current);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public async Task Send_FromAnotherThread_RunsOnTheLoopAndGivesItsException(LoopDriver driver)
    {
        using var thread = new LoopThread(driver);
        SynchronizationContext context = thread.Loop.SynchronizationContext;
        bool onLoop = false;
        context.Send(_ => onLoop = thread.Loop.IsOnLoopThread, null);
        Assert.True(onLoop);
        Assert.Throws<InvalidDataException>(() => context.Send(static _ => throw new InvalidDataException(), null));
        Assert.True(await thread.Ask(() =>
        {
            bool inline = false;
            context.Send(_ => inline = true, null);
            return inline;
        }));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public async Task Send_LoopClosedMeanwhile_ThrowsInsteadOfWaitingForEver(LoopDriver driver)
    {
        EventLoop loop = LoopTesting.NewLoop(driver);
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
    [Contract("L-FUT-15")]
    public async Task Scheduler_TasksFromElsewhere_RunOnTheLoopInOrder(LoopDriver driver)
    {
        using var thread = new LoopThread(driver);
        var factory = new TaskFactory(thread.Loop.Scheduler);
        Assert.Equal(1, thread.Loop.Scheduler.MaximumConcurrencyLevel);
        var order = new List<int>();
        Task[] tasks = [.. Enumerable.Range(0, 100).Select(i => factory.StartNew(() =>
        {
            Assert.True(thread.Loop.IsOnLoopThread);
            Assert.Same(thread.Loop.Scheduler, TaskScheduler.Current);
            order.Add(i);
        }))];
        await Task.WhenAll(tasks).WithDeadline();
        Assert.Equal(Enumerable.Range(0, 100), order);
    }
}
