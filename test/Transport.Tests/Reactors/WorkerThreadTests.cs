using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>The reactor's own threads, and the ways between them and it.</summary>
public sealed class WorkerThreadTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-THR-01"), Contract("R-INV-04")]
    public void GetThreadPool_BeforeRun_StartsWithTheReactorAndIsJoinedBeforeRunReturns(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        ReactorThreadPool pool = reactor.GetThreadPool();
        bool? startedInside = null;
        using var atWork = new ManualResetEventSlim();
        bool hasEnded = false;
        reactor.CallInThread(() =>
        {
            atWork.Set();
            SpinWait.SpinUntil(() => !reactor.Running, Deadline.Default); // outlasts the stop
            hasEnded = true;
        });
        reactor.CallWhenRunning(() =>
        {
            startedInside = pool.IsStarted;
            Assert.True(atWork.Wait(Deadline.Default));
            reactor.Stop();
        });
        Assert.False(pool.IsStarted);

        reactor.RunBounded();

        Assert.True(startedInside);
        Assert.True(hasEnded);
        Assert.True(pool.IsStopped);
        Assert.Equal(0, pool.Threads);
        Assert.Throws<ReactorNotRunningException>(reactor.GetThreadPool);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-02")]
    public async Task SuggestThreadPoolSize_BeforeAndAfterStart_IsTheMaximum(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        reactor.SuggestThreadPoolSize(17);
        Assert.Equal(17, reactor.GetThreadPool().Maximum);

        ReactorThread thread = Run(reactor);
        await thread.Turn();
        reactor.SuggestThreadPoolSize(3);

        Assert.Equal(3, reactor.GetThreadPool().Maximum);
        Assert.Throws<ArgumentOutOfRangeException>(() => reactor.SuggestThreadPoolSize(0));
    }

    [Theory, ReactorStacks(false, true)]
    [Contract("R-THR-09")]
    public async Task Stop_OfThePool_JoinsItAndTheReactorMakesAnother(ReactorStack stack, bool isRunning)
    {
        IReactor reactor = NewReactor(stack);
        ReactorThreadPool? pool = isRunning ? null : reactor.GetThreadPool();
        ReactorThread thread = Run(reactor);
        await thread.Turn();
        pool ??= reactor.GetThreadPool();
        bool ended = false;
        reactor.CallInThread(() => ended = true);

        pool.Stop();

        Assert.True(ended);
        Assert.NotSame(pool, reactor.GetThreadPool());
        Assert.True(reactor.GetThreadPool().IsStarted);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-10"), Contract("R-THR-12")]
    public void FireShutdown_NeverRun_EndsTheUnstartedPool(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        ReactorThreadPool pool = reactor.GetThreadPool();
        bool ran = false;
        reactor.CallInThread(() => ran = true);

        reactor.FireSystemEvent(SystemEvents.Shutdown);

        Assert.True(pool.IsStopped);
        Assert.Equal(0, pool.Waiting);
        Assert.NotSame(pool, reactor.GetThreadPool()); // it can still be run
        reactor.CallWhenRunning(reactor.Stop);
        reactor.RunBounded();
        Assert.False(ran);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-12"), Contract("R-THR-17")]
    public void CallInThread_ReactorCrashed_WaitsForTheNextRun(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        bool ran = false;
        reactor.GetThreadPool();
        reactor.CallWhenRunning(reactor.Crash);
        reactor.RunBounded();

        Assert.True(reactor.CallInThread(() => ran = true));
        Assert.False(reactor.GetThreadPool().IsStarted);
        reactor.CallWhenRunning(reactor.Stop);
        reactor.RunBounded();

        Assert.True(ran);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-13"), Contract("R-INV-01")]
    public async Task DeferToThread_ValueAndFailure_FireOnTheReactorsThread(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var fired = new TaskCompletionSource<(bool, bool)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var failed = new TaskCompletionSource<(Exception, bool)>(TaskCreationOptions.RunContinuationsAsynchronously);

        await thread.Do(() =>
        {
            thread.Reactor.DeferToThread(() => thread.Reactor.IsInReactorThread)
                .AddCallback(inside => fired.SetResult((inside, thread.Reactor.IsInReactorThread)));
            thread.Reactor.DeferToThread<int>(() => throw new InvalidDataException())
                .AddErrback(error =>
                {
                    failed.SetResult((error, thread.Reactor.IsInReactorThread));
                    return 0;
                });
        });

        Assert.Equal((false, true), await fired.Task.WithDeadline());
        (Exception exception, bool isOnThread) = await failed.Task.WithDeadline();
        Assert.IsType<InvalidDataException>(exception);
        Assert.True(isOnThread);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-13")]
    public async Task DeferToThreadPool_OwnPool_RunsThereAndFailsWhenThatIsStopped(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        ReactorThreadPool pool = Own(new ReactorThreadPool(name: "mine"));
        pool.Start();

        Task<string?> name = await thread.Ask(() => thread.Reactor.DeferToThreadPool(pool, () => Thread.CurrentThread.Name).ToTask());
        Assert.Equal("mine", await name.WithDeadline());
        pool.Stop();
        Task<int> refused = await thread.Ask(() => thread.Reactor.DeferToThreadPool(pool, () => 1).ToTask());

        await Assert.ThrowsAsync<ObjectDisposedException>(() => refused.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-13")]
    public async Task DeferToThread_AfterShutdown_HasFailed(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await thread.Turn();
        thread.Dispose();

        Task<int> refused = thread.Reactor.DeferToThread(() => 1).ToTask();

        await Assert.ThrowsAsync<ReactorNotRunningException>(() => refused.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-14")]
    public async Task CallMultipleInThread_Batch_RunsInOrderOnOneThread(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var order = new List<(int, Thread)>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        Assert.True(thread.Reactor.CallMultipleInThread(
            [.. Enumerable.Range(0, 20).Select<int, Action>(i => () => order.Add((i, Thread.CurrentThread))), done.SetResult]));
        await done.Task.WithDeadline();

        Assert.Equal(Enumerable.Range(0, 20), order.Select(entry => entry.Item1));
        Assert.Single(order.Select(entry => entry.Item2).Distinct());
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-14"), Contract("R-THR-17")]
    public async Task CallMultipleInThread_OneThrows_IsReportedAndTheRestIsNotRun(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await thread.Turn();
        bool ran = false;

        thread.Reactor.CallMultipleInThread([() => throw new InvalidDataException(), () => ran = true]);

        Assert.IsType<InvalidDataException>(Assert.Single(Log.WaitAndTake(LogLevel.Error)).Exception);
        thread.Reactor.GetThreadPool().Stop();
        Assert.False(ran);
    }
}
