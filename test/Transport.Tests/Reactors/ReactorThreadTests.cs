using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Reactors;

public sealed class ReactorThreadTests : ReactorContract
{
    [Theory, ReactorStacks]
    [Contract("R-THR-03")]
    public async Task CallFromThread_OnReactorThread_DoesNotSleepUntilNextTimer(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await thread.Do(() =>
        {
            thread.Reactor.CallLater(TimeSpan.FromHours(1), () => { });
            thread.Reactor.CallLater(TimeSpan.Zero, () => thread.Reactor.CallFromThread(called.SetResult));
        });

        await called.Task.WithDeadline();
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-04"), Contract("R-THR-11")]
    public async Task CallFromThread_OtherThread_RunsOnReactorThreadOnce(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await thread.Turn();
        var called = new TaskCompletionSource<(bool, object?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        object argument = new();

        Assert.False(thread.Reactor.IsInReactorThread);
        Assert.True(thread.Reactor.CallFromThread(state => called.SetResult((thread.Reactor.IsInReactorThread, state)), argument));

        Assert.Equal((true, argument), await called.Task.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-05")]
    public async Task CallFromThread_ManyProducers_EachInOrderAndNoneLost(ReactorStack stack)
    {
        const int Producers = 4;
        const int Each = 2000;
        IReactor reactor = NewReactor(stack);
        List<int>[] seen = [.. Enumerable.Range(0, Producers).Select(_ => new List<int>())];
        void Produce(int producer, int from)
        {
            for (int i = from; i < from + (Each / 2); i++)
            {
                int number = i;
                Assert.True(reactor.CallFromThread(() => seen[producer].Add(number)));
            }
        }

        Parallel.For(0, Producers, producer => Produce(producer, 0));
        Assert.All(seen, Assert.Empty);
        ReactorThread thread = Run(reactor);
        Parallel.For(0, Producers, producer => Produce(producer, Each / 2));
        await thread.Turn();

        Assert.All(seen, numbers => Assert.Equal(Enumerable.Range(0, Each), numbers));
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-06")]
    public async Task CallFromThread_FromSuchCall_RunsInNextTurn(ReactorStack stack)
    {
        var clock = new ManualTimeProvider();
        ReactorThread thread = StartReactor(stack, clock);
        var order = new List<string>();
        await thread.Do(() => thread.Reactor.CallLater(TimeSpan.FromSeconds(1), () => order.Add("timed call that was due")));
        await thread.Turn();

        clock.Advance(TimeSpan.FromSeconds(1));
        await thread.Do(() =>
        {
            order.Add("call");
            thread.Reactor.CallFromThread(() => order.Add("its call"));
        });
        await thread.Turn();

        Assert.Equal(3, order.Count);
        Assert.Equal("its call", order[^1]);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-07")]
    public async Task CallFromThread_HundredThousandWithoutTurn_AllRun(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        int count = 0;

        for (int i = 0; i < 100_000; i++)
        {
            reactor.CallFromThread(() => count++);
        }

        ReactorThread thread = Run(reactor);
        await thread.Turn();

        Assert.Equal(100_000, count);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-08")]
    public async Task CallFromThread_CallThrows_IsReportedOnceAndOthersRun(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        bool ran = false;

        thread.Reactor.CallFromThread(() => throw new InvalidDataException());
        thread.Reactor.CallFromThread(() => ran = true);
        await thread.Turn();

        Assert.IsType<InvalidDataException>(Assert.Single(TakeErrors()));
        Assert.True(ran);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-16")]
    public async Task CallFromThread_AfterDispose_ReturnsFalseAndDrops(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        bool ran = false;

        await thread.Turn();
        thread.Dispose();
        ((IDisposable)thread.Reactor).Dispose();

        Assert.False(thread.Reactor.CallFromThread(() => ran = true));
        Assert.False(ran);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-12"), Contract("R-THR-17")]
    public async Task CallInThread_BeforeRun_RunsOffReactorThreadOnceRunning(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var worked = new TaskCompletionSource<(bool, string?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ambient = new AsyncLocal<string?> { Value = "flows" };
        var gate = new TaskCompletionSource();
        reactor.AddSystemEventTrigger(SystemEventPhase.Before, "startup", () => gate.Task);

        Assert.True(reactor.CallInThread(() => worked.SetResult((reactor.IsInReactorThread, ambient.Value))));
        ambient.Value = null;
        ReactorThread thread = Run(reactor);
        await thread.Turn();
        Assert.False(worked.Task.IsCompleted);
        gate.SetResult();

        Assert.Equal((false, "flows"), await worked.Task.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-17")]
    public async Task CallInThread_WorkThrows_IsReportedOnReactorThread(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);

        thread.Reactor.CallInThread(() => throw new InvalidDataException());

        Assert.IsType<InvalidDataException>(Assert.Single(Log.WaitAndTake(LogLevel.Error)).Exception);
    }

    [Theory, ReactorStacks]
    [Contract("R-THR-12")]
    public async Task CallInThread_AfterShutdown_ReturnsFalse(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await thread.Turn();
        await thread.Do(thread.Reactor.Stop);
        await thread.Ended;

        Assert.False(thread.Reactor.CallInThread(() => { }));
    }
}
