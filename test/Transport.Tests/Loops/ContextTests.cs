using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Drivers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>The synchronisation context and the task scheduler of a loop.</summary>
public sealed class ContextTests : LoopContract
{
    [Theory, LoopStacks]
    [Contract("L-FUT-15")]
    public void Await_InACallback_ContinuesOnTheLoopInALaterTurnInOrder(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
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

    [Theory, LoopStacks]
    [Contract("L-FUT-15")]
    public void Current_AfterACallbackReplacedIt_IsTheLoopsAgain(LoopStack stack)
    {
        SocketPair pair = Own(SocketPair.Tcp());
        IEventLoop loop = NewLoop(stack);
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
        Assert.Equal(5, Log.Take(LogLevel.Error).Count);
    }

    [Theory, LoopStacks]
    public async Task Send_FromAnotherThread_RunsOnTheLoopAndGivesItsException(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
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

    [Theory, LoopStacks]
    [Contract("L-FUT-15")]
    public async Task Scheduler_TasksFromElsewhere_RunOnTheLoopInOrder(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
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

    [Theory, LoopStacks]
    [Contract("L-CORE-18")]
    public void Callbacks_PostsAndTasks_InterleaveInTheOrderAddedOnOneThread(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        var tasks = new TaskFactory(loop.Scheduler);
        var order = new List<int>();
        var threads = new HashSet<int>();
        void Run(int number)
        {
            order.Add(number);
            threads.Add(Environment.CurrentManagedThreadId);
        }

        for (int i = 0; i < 40; i += 4)
        {
            int number = i;
            loop.AddCallback(() => Run(number));
            loop.SynchronizationContext.Post(_ => Run(number + 1), null);
            _ = tasks.StartNew(() => Run(number + 2), TestContext.Current.CancellationToken);
            loop.AddCallback(_ => Run(number + 3), null);
        }

        loop.RunTurns(1);
        Assert.Equal(Enumerable.Range(0, 40), order);
        Assert.Equal(Environment.CurrentManagedThreadId, Assert.Single(threads));
    }

    // A continuation of host code is one more callback: the same thread, in turn with the loop's own.
    [Theory, LoopStacks]
    [Contract("L-CORE-18")]
    public async Task Await_OnHostTasks_TakesTurnsWithCallbacks(LoopStack stack)
    {
        LoopThread thread = StartLoop(stack);
        await thread.RunAsync(async loop =>
        {
            // The host's task ends only after the callback ran: one that has ended already is not waited for at all.
            var between = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.AddCallback(between.SetResult);
            await Task.Run(() => between.Task, TestContext.Current.CancellationToken);
            Assert.True(loop.IsOnLoopThread);
        });
    }
}
