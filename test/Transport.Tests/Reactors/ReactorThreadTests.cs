using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Reactors;

public sealed class ReactorThreadTests
{
    public static TheoryData<LoopDriver> Drivers => ReactorDrivers.All;

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-03")]
    public async Task CallFromThread_OnReactorThread_DoesNotSleepUntilNextTimer(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        await harness.On(() =>
        {
            harness.Reactor.CallLater(TimeSpan.FromHours(1), () => { });
            harness.Reactor.CallLater(TimeSpan.Zero, () => harness.Reactor.CallFromThread(called.SetResult));
        });

        await called.Task.WithDeadline();
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-04"), Contract("R-THR-11")]
    public async Task CallFromThread_OtherThread_RunsOnReactorThreadOnce(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        await harness.Turn();
        var called = new TaskCompletionSource<(bool, object?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        object argument = new();

        Assert.False(harness.Reactor.IsInReactorThread);
        Assert.True(harness.Reactor.CallFromThread(state => called.SetResult((harness.Reactor.IsInReactorThread, state)), argument));

        Assert.Equal((true, argument), await called.Task.WithDeadline());
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-05")]
    public async Task CallFromThread_ManyProducers_EachInOrderAndNoneLost(LoopDriver driver)
    {
        const int Producers = 4;
        const int Each = 2000;
        await using var harness = new ReactorHarness(driver, start: false);
        List<int>[] seen = [.. Enumerable.Range(0, Producers).Select(_ => new List<int>())];
        void Produce(int producer, int from) => ReactorHarness.OnThread(() =>
        {
            for (int i = from; i < from + (Each / 2); i++)
            {
                int number = i;
                Assert.True(harness.Reactor.CallFromThread(() => seen[producer].Add(number)));
            }
        }).WithDeadline().GetAwaiter().GetResult();

        Parallel.For(0, Producers, producer => Produce(producer, 0));
        Assert.All(seen, Assert.Empty);
        harness.Start();
        Parallel.For(0, Producers, producer => Produce(producer, Each / 2));
        await harness.Turn();

        Assert.All(seen, numbers => Assert.Equal(Enumerable.Range(0, Each), numbers));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-06")]
    public async Task CallFromThread_FromSuchCall_RunsInNextTurn(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var order = new List<string>();

        await harness.On(() => harness.Reactor.CallFromThread(() =>
        {
            harness.Loop.CallLater(TimeSpan.Zero, static state => ((List<string>)state!).Add("timer of the next turn"), order);
            harness.Reactor.CallFromThread(() => order.Add("next turn"));
            order.Add("this turn");
        }));
        await harness.Turn();

        Assert.Equal(["this turn", "next turn", "timer of the next turn"], order);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-07")]
    public async Task CallFromThread_HundredThousandWithoutTurn_AllRun(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        int count = 0;

        for (int i = 0; i < 100_000; i++)
        {
            harness.Reactor.CallFromThread(() => count++);
        }

        harness.Start();
        await harness.Turn();

        Assert.Equal(100_000, count);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-08")]
    public async Task CallFromThread_CallThrows_IsReportedOnceAndOthersRun(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        bool ran = false;

        harness.Reactor.CallFromThread(() => throw new InvalidDataException());
        harness.Reactor.CallFromThread(() => ran = true);
        await harness.Turn();

        Assert.IsType<InvalidDataException>(Assert.Single(harness.TakeErrors()));
        Assert.True(ran);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-16")]
    public async Task CallFromThread_AfterDispose_ReturnsFalseAndDrops(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        bool ran = false;

        await harness.On(() =>
        {
            Assert.True(harness.Reactor.CallFromThread(() => ran = true));
            harness.Reactor.Dispose();
        });

        Assert.False(harness.Reactor.CallFromThread(() => ran = true));
        await harness.Turn();
        Assert.False(ran);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-12"), Contract("R-THR-17")]
    public async Task CallInThread_BeforeRun_RunsOffReactorThreadOnceRunning(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver, start: false);
        var worked = new TaskCompletionSource<(bool, string?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ambient = new AsyncLocal<string?> { Value = "flows" };
        var gate = new TaskCompletionSource();
        harness.Reactor.AddSystemEventTrigger(LoopBridge.Reactors.SystemEventPhase.Before, "startup", () => gate.Task);

        Assert.True(harness.Reactor.CallInThread(() => worked.SetResult((harness.Reactor.IsInReactorThread, ambient.Value))));
        ambient.Value = null;
        harness.Start();
        await harness.Turn();
        Assert.False(worked.Task.IsCompleted);
        gate.SetResult();

        Assert.Equal((false, "flows"), await worked.Task.WithDeadline());
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-17")]
    public async Task CallInThread_WorkThrows_IsReportedOnReactorThread(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        var reported = new TaskCompletionSource<(Exception, bool)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await harness.On(() => harness.Loop.ExceptionHandler = (e, _) => reported.SetResult((e, harness.Loop.IsOnLoopThread)));

        harness.Reactor.CallInThread(() => throw new InvalidDataException());

        (Exception exception, bool onThread) = await reported.Task.WithDeadline();
        Assert.IsType<InvalidDataException>(exception);
        Assert.True(onThread);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-THR-12")]
    public async Task CallInThread_AfterShutdown_ReturnsFalse(LoopDriver driver)
    {
        await using var harness = new ReactorHarness(driver);
        await harness.Turn();
        await harness.On(harness.Reactor.Stop);
        await harness.Turn();

        Assert.False(harness.Reactor.CallInThread(() => { }));
    }
}
