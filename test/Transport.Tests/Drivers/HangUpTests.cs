using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>Errors and hang-ups: reported whatever the interest, without spinning.</summary>
public sealed class HangUpTests
{
    private const IoEvents Gone = IoEvents.Error | IoEvents.HangUp;

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_ResetWithoutInterest_ReportsIt(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        driver.Add(pair.Near.SafeHandle, IoEvents.None, IoTrigger.WhileReady, handler);
        pair.ResetFar();
        driver.PumpUntil(() => (handler.All & Gone) != 0, "the error");
    }

    // A paused connection over a UNIX socket whose peer goes away: poll(2) tells of it with POLLHUP alone.
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_UnixPeerClosedWithoutInterest_ReportsTheHangUp(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Unix();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        IoRegistration registration = driver.Add(pair.Near.SafeHandle, IoEvents.None, IoTrigger.WhileReady, handler);
        pair.Far.Send((ReadOnlySpan<byte>)[1]);
        Assert.Equal(0, driver.CountBusyWaits(3));
        pair.Far.Dispose();
        driver.PumpUntil(() => handler.All == IoEvents.HangUp, "the hang-up");
        registration.Remove();
        Assert.Equal(0, driver.CountBusyWaits(3));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_HalfClosedWithoutInterest_IsNotAHangUp(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        driver.Add(pair.Near.SafeHandle, IoEvents.None, IoTrigger.WhileReady, handler);
        pair.Far.Shutdown(SocketShutdown.Send);
        Assert.True(pair.Near.Poll(Deadline.Default, SelectMode.SelectRead));
        Assert.Equal(0, driver.CountBusyWaits(3));
        Assert.Empty(handler.Events);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_ResetOfAPausedOnChangeRegistration_DoesNotSpin(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        IoRegistration registration = driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.OnChange, handler);
        registration.Arm(IoEvents.Read);
        pair.ResetFar();
        driver.PumpUntil(() => handler.Events.Count > 0, "the reset");
        Assert.Equal(0, driver.CountBusyWaits(10));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Wait_DataThenHangUp_LeavesTheDataReadable(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Unix();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, handler);
        pair.Far.Send((ReadOnlySpan<byte>)[1, 2, 3]);
        pair.Far.Dispose();
        driver.PumpUntil(() => (handler.All & IoEvents.Read) != 0, "readability");
        Assert.Equal(3, pair.Near.Receive(new byte[16]));
        Assert.Equal(0, pair.Near.Receive(new byte[16]));
    }
}
