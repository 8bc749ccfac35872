using System.Diagnostics;
using LoopBridge.Drivers;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>How a wait ends: by a wake from anywhere, or by its time.</summary>
public sealed class WakeTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public async Task Wake_FromAnotherThread_EndsAnEndlessWait(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        Task waiting = Task.Factory.StartNew(
            () => driver.Wait(Timeout.InfiniteTimeSpan), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        driver.Wake();
        await waiting.WithDeadline();
        Assert.False(driver.DispatchNext());
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wake_BeforeTheWait_IsNotLost(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        for (int i = 0; i < 3; i++)
        {
            driver.Wake();
            Assert.True(Waited(driver, Deadline.Default) < Deadline.Default);
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wake_ManyTimes_IsOneAndDoesNotSpin(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        for (int i = 0; i < 20_000; i++)
        {
            driver.Wake();
        }

        driver.Wait(Deadline.Default);
        Assert.False(driver.DispatchNext());
        Assert.True(Waited(driver, TimeSpan.FromMilliseconds(20)) >= TimeSpan.FromMilliseconds(19));
        driver.Wake();
        Assert.True(Waited(driver, Deadline.Default) < Deadline.Default);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wake_AfterDispose_IsHarmless(LoopDriver which)
    {
        IIoDriver driver = IoDriverFactory.Create(which);
        driver.Dispose();
        driver.Wake();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public async Task Wake_RacingWithDispose_NeverThrows(LoopDriver which)
    {
        for (int round = 0; round < 20; round++)
        {
            IIoDriver driver = IoDriverFactory.Create(which);
            using var started = new ManualResetEventSlim();
            bool over = false;
            Task waking = Task.Run(() =>
            {
                while (!Volatile.Read(ref over))
                {
                    driver.Wake();
                    started.Set();
                }
            }, TestContext.Current.CancellationToken);
            Assert.True(started.Wait(Deadline.Default, TestContext.Current.CancellationToken));
            driver.Dispose();
            Volatile.Write(ref over, true);
            await waking.WithDeadline();
        }
    }

    // A wait that ends a fraction early makes the loop turn for nothing until the time has come.
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_FractionOfAMillisecond_DoesNotEndEarly(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        var time = TimeSpan.FromMicroseconds(900);
        for (int i = 0; i < 5; i++)
        {
            Assert.True(Waited(driver, time) >= time);
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_ZeroOrVeryLong_IsAccepted(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        driver.Wait(TimeSpan.Zero);
        driver.Wake();
        driver.Wait(TimeSpan.MaxValue);
    }

    private static TimeSpan Waited(IIoDriver driver, TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();
        driver.Wait(timeout);
        return Stopwatch.GetElapsedTime(start);
    }
}
