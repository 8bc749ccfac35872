using LoopBridge.Drivers;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>When a driver says that a descriptor is ready, by both triggers.</summary>
public sealed class ReadinessTests
{
    private static readonly byte[] OneByte = [1];

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_WhileReady_ReportsEachTimeUntilRead(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, handler);
        Assert.Equal(0, driver.CountBusyWaits(3));

        pair.Far.Send(OneByte);
        driver.PumpUntil(() => handler.Events.Count >= 3, "a level");
        Assert.Equal(IoEvents.Read, handler.All);

        pair.Drain();
        Assert.Equal(0, driver.CountBusyWaits(3));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_ReadAndWriteAtOnce_IsOneEvent(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        pair.Far.Send(OneByte);
        Assert.True(pair.Near.Poll(TimeSpan.FromSeconds(30), System.Net.Sockets.SelectMode.SelectRead));
        driver.Add(pair.Near.SafeHandle, IoEvents.Read | IoEvents.Write, IoTrigger.WhileReady, handler);
        driver.Wait(TimeSpan.FromSeconds(30));
        Assert.Equal(1, driver.DispatchAll());
        Assert.Equal([IoEvents.Read | IoEvents.Write], handler.Events);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Update_OtherInterest_ReportsThatAlone(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        IoRegistration registration = driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, handler);
        registration.Update(IoEvents.Write);
        driver.PumpUntil(() => handler.Events.Count > 0, "writability");
        Assert.Equal(IoEvents.Write, handler.All);

        registration.Update(IoEvents.None);
        pair.Far.Send(OneByte);
        Assert.True(pair.Near.Poll(TimeSpan.FromSeconds(30), System.Net.Sockets.SelectMode.SelectRead));
        Assert.Equal(0, driver.CountBusyWaits(3));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_OnChangeAndPaused_ReportsOnceAndDoesNotSpin(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        IoRegistration registration = driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.OnChange, handler);
        registration.Arm(IoEvents.Read);
        pair.Far.Send(OneByte);
        driver.PumpUntil(() => handler.Events.Count > 0, "the change");
        Assert.Equal(0, driver.CountBusyWaits(10));
        Assert.Equal([IoEvents.Read], handler.Events);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Arm_AfterDraining_ReportsTheNextChange(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        IoRegistration registration = driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.OnChange, handler);
        registration.Arm(IoEvents.Read);
        for (int round = 1; round <= 3; round++)
        {
            pair.Far.Send(OneByte);
            driver.PumpUntil(() => handler.Events.Count == round, $"change {round}");
            pair.Drain();
            registration.Arm(IoEvents.Read);
            Assert.Equal(0, driver.CountBusyWaits(2));
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_MoreReadyThanOneWaitTakes_ReportsAll(LoopDriver which)
    {
        const int Count = 300; // epoll's buffer holds 256
        var pairs = new List<SocketPair>();
        using IIoDriver driver = IoDriverFactory.Create(which);
        try
        {
            var heard = new HashSet<int>();
            for (int i = 0; i < Count; i++)
            {
                int number = i;
                pairs.Add(SocketPair.Unix());
                driver.Add(pairs[i].Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, new RecordingHandler(_ => heard.Add(number)));
                pairs[i].Far.Send(OneByte);
            }

            driver.PumpUntil(() => heard.Count == Count, "readiness of all");
        }
        finally
        {
            driver.Dispose();
            pairs.ForEach(static pair => pair.Dispose());
        }
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void DispatchNext_HandlerThrows_PassesThroughAndMovesOn(LoopDriver which)
    {
        using SocketPair first = SocketPair.Tcp();
        using SocketPair second = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var failing = new RecordingHandler(static _ => throw new InvalidOperationException("mine"));
        driver.Add(first.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, failing);
        driver.Add(second.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, failing);

        driver.Wait(TimeSpan.FromSeconds(30));
        Assert.Throws<InvalidOperationException>(() => driver.DispatchNext());
        Assert.Throws<InvalidOperationException>(() => driver.DispatchNext());
        Assert.False(driver.DispatchNext());
        Assert.Equal(2, failing.Events.Count);
    }
}
