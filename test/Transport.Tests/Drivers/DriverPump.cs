using System.Diagnostics;
using LoopBridge.Drivers;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>The half of a loop that a driver needs to be tested: wait, dispatch, again.</summary>
internal static class DriverPump
{
    internal static void PumpUntil(this IIoDriver driver, Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline.Default, $"{driver.Name}: {what} did not happen.");
            driver.Wait(TimeSpan.FromMilliseconds(20));
            driver.DispatchAll();
        }
    }

    /// <summary>Dispatches what the last wait found, and counts it.</summary>
    internal static int DispatchAll(this IIoDriver driver)
    {
        int count = 0;
        while (driver.DispatchNext())
        {
            count++;
        }

        return count;
    }

    /// <summary>How many of so many short waits found something.</summary>
    internal static int CountBusyWaits(this IIoDriver driver, int waits)
    {
        int busy = 0;
        for (int i = 0; i < waits; i++)
        {
            driver.Wait(TimeSpan.FromMilliseconds(2));
            busy += driver.DispatchAll() > 0 ? 1 : 0;
        }

        return busy;
    }
}

/// <summary>Notes the events, and does what a test asks for.</summary>
internal sealed class RecordingHandler(Action<IoEvents>? then = null) : IIoHandler
{
    internal List<IoEvents> Events { get; } = [];

    internal IoEvents All => Events.Aggregate(IoEvents.None, static (all, one) => all | one);

    public void OnEvents(IoEvents events)
    {
        Events.Add(events);
        then?.Invoke(events);
    }
}
