using LoopBridge.Deferreds;
using LoopBridge.Reactors;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Reactors;

/// <summary>The pool by itself.</summary>
public sealed class ReactorThreadPoolTests : ContractTest
{
    [Fact]
    [Contract("R-THR-17")]
    public void CallInThread_WorkThrows_IsReportedAndTheThreadGoesOn()
    {
        ReactorThreadPool pool = Own(NewPool(maximum: 1));
        pool.Start();

        pool.CallInThread(() => throw new InvalidDataException());
        pool.CallInThreadWithCallback<int>(() => 1, _ => throw new TimeoutException());
        int? result = null;
        pool.CallInThreadWithCallback(() => 3, value => result = value.Value);
        pool.Stop();

        Assert.Equal(3, result);
        IReadOnlyList<LogEntry> errors = Log.Take(LogLevel.Error);
        Assert.Equal([typeof(InvalidDataException), typeof(TimeoutException)], errors.Select(error => error.Exception!.GetType()));
    }

    [Fact]
    [Contract("R-THR-17")]
    public void CallInThreadWithCallback_ValueOrFailure_IsToldOnTheWorkersThread()
    {
        ReactorThreadPool pool = Own(NewPool());
        pool.Start();
        var told = new List<(DeferredResult<Thread> Result, Thread On)>();

        pool.CallInThreadWithCallback(() => Thread.CurrentThread, result => told.Add((result, Thread.CurrentThread)));
        pool.Stop();
        ReactorThreadPool other = Own(NewPool());
        other.Start();
        other.CallInThreadWithCallback<Thread>(
            () => throw new InvalidDataException(), result => told.Add((result, Thread.CurrentThread)));
        other.Stop();

        Assert.Same(told[0].On, told[0].Result.Value);
        Assert.False(told[1].Result.IsSuccess);
        Assert.IsType<InvalidDataException>(told[1].Result.Error);
    }

    [Fact]
    [Contract("R-THR-17")]
    public void CallInThread_AmbientContext_FlowsInAndEndsWithTheWork()
    {
        ReactorThreadPool pool = Own(NewPool(maximum: 1));
        var ambient = new AsyncLocal<string?> { Value = "mine" };
        var seen = new List<string?>();

        pool.CallInThread(() =>
        {
            seen.Add(ambient.Value);
            ambient.Value = "changed";
        });
        using (ExecutionContext.SuppressFlow())
        {
            pool.CallInThread(() => seen.Add(ambient.Value));
        }

        pool.Start();
        pool.Stop();

        Assert.Equal(["mine", null], seen);
    }

    [Fact]
    [Contract("R-THR-18"), Contract("R-THR-02")]
    public void Start_MuchWorkWaits_RunsOnNoMoreThreadsThanTheMaximum()
    {
        const int Maximum = 3;
        ReactorThreadPool pool = Own(NewPool(maximum: Maximum));
        using var gate = new ManualResetEventSlim();
        using var all = new CountdownEvent(Maximum);
        int ran = 0;
        for (int i = 0; i < 10; i++)
        {
            pool.CallInThread(() =>
            {
                if (!all.IsSet)
                {
                    all.Signal();
                }

                gate.Wait(Deadline.Default);
                Interlocked.Increment(ref ran);
            });
        }

        Assert.Equal(0, pool.Threads);
        pool.Start();
        Assert.True(SpinWait.SpinUntil(() => all.IsSet, Deadline.Default));

        Assert.Equal(Maximum, pool.Threads);
        Assert.Equal(10 - Maximum, pool.Waiting);
        gate.Set();
        pool.Stop();
        Assert.Equal(10, ran);
        Assert.Equal(0, pool.Threads);
    }

    [Fact]
    [Contract("R-THR-18")]
    public void Adjust_Started_GrowsToTheMinimumAndShrinksToTheMaximum()
    {
        ReactorThreadPool pool = Own(NewPool());
        pool.Adjust(2, 4);
        Assert.Equal(0, pool.Threads);

        pool.Start();
        Assert.Equal(2, pool.Threads);
        pool.Adjust(4, 4);
        Assert.Equal(4, pool.Threads);
        pool.Adjust(0, 1);

        Assert.True(SpinWait.SpinUntil(() => pool.Threads <= 1, Deadline.Default));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Adjust(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Adjust(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Adjust(0, 0));
        Assert.Equal((0, 1), (pool.Minimum, pool.Maximum));
    }

    [Fact]
    [Contract("R-THR-12"), Contract("R-THR-18")]
    public void Stop_NeverStarted_DropsTheWork()
    {
        ReactorThreadPool pool = Own(NewPool());
        bool ran = false;
        pool.CallInThread(() => ran = true);

        pool.Stop();
        pool.Start();
        pool.Adjust(1, 1);

        Assert.False(pool.CallInThread(() => ran = true));
        Assert.Equal(0, pool.Threads + pool.Waiting);
        Assert.False(ran);
        Assert.True(pool.IsStopped);
    }

    [Fact]
    [Contract("R-THR-18")]
    public void Stop_FromItsOwnWork_WaitsForTheOthersOnly()
    {
        ReactorThreadPool pool = Own(NewPool());
        using var stopped = new ManualResetEventSlim();
        pool.Start();

        pool.CallInThread(() =>
        {
            pool.Stop();
            stopped.Set();
        });

        Assert.True(SpinWait.SpinUntil(() => stopped.IsSet, Deadline.Default));
    }

    private ReactorThreadPool NewPool(int minimum = 0, int maximum = 10) => new(minimum, maximum, "test worker", Log.CreateLogger("pool"));
}
