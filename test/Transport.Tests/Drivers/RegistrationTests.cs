using System.Net.Sockets;
using LoopBridge.Drivers;
using Microsoft.Win32.SafeHandles;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>What a registration holds, and that nothing reaches a handler after its end.</summary>
public sealed class RegistrationTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Remove_EventAlreadyCollected_IsDropped(LoopDriver which)
    {
        using SocketPair first = SocketPair.Tcp();
        using SocketPair second = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var registrations = new List<IoRegistration>();
        var handler = new RecordingHandler(_ => registrations.ForEach(static registration => registration.Remove()));
        registrations.Add(driver.Add(first.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, handler));
        registrations.Add(driver.Add(second.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, handler));

        driver.Wait(TimeSpan.FromSeconds(30));
        Assert.Equal(1, driver.DispatchAll());
        Assert.Single(handler.Events);
        Assert.Equal(0, driver.CountBusyWaits(3));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Add_SameNumberBetweenCollectAndDispatch_DoesNotHearTheStaleEvent(LoopDriver which)
    {
        using SocketPair first = SocketPair.Tcp();
        using SocketPair second = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var renewed = new RecordingHandler();
        var registrations = new List<IoRegistration>();
        var handler = new RecordingHandler(_ =>
        {
            // Both numbers again, the freed slots too, but with an interest in what is not there.
            registrations.ForEach(static registration => registration.Remove());
            driver.Add(first.Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, renewed);
            driver.Add(second.Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, renewed);
        });
        registrations.Add(driver.Add(first.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, handler));
        registrations.Add(driver.Add(second.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, handler));

        driver.Wait(TimeSpan.FromSeconds(30));
        Assert.Equal(1, driver.DispatchAll());
        Assert.Empty(renewed.Events);
        Assert.Equal(0, driver.CountBusyWaits(3));
        Assert.Empty(renewed.Events);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Remove_Repeated_IsHarmlessToOthers(LoopDriver which)
    {
        using SocketPair first = SocketPair.Tcp();
        using SocketPair second = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handler = new RecordingHandler();
        IoRegistration removed = driver.Add(first.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, handler);
        removed.Remove();
        driver.Add(second.Near.SafeHandle, IoEvents.Write, IoTrigger.WhileReady, handler);
        removed.Remove();
        driver.PumpUntil(() => handler.Events.Count > 0, "the other's readiness");
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Add_HandleDisposedByItsOwner_StaysOpenUntilRemoved(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using IIoDriver driver = IoDriverFactory.Create(which);
        var handle = new LoopBridge.Interop.DescriptorHandle((int)pair.Near.SafeHandle.DangerousGetHandle(), ownsHandle: false);
        IoRegistration registration = driver.Add(handle, IoEvents.Read, IoTrigger.WhileReady, new RecordingHandler());
        handle.Dispose();
        Assert.False(handle.IsClosed);
        registration.Remove();
        Assert.True(handle.IsClosed);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Add_RegularFile_ThrowsAndHoldsNothing(LoopDriver which)
    {
        using IIoDriver driver = IoDriverFactory.Create(which);
        SafeFileHandle file = File.OpenHandle(typeof(RegistrationTests).Assembly.Location);
        Assert.Throws<IOException>(() => driver.Add(file, IoEvents.Read, IoTrigger.WhileReady, new RecordingHandler()));
        file.Dispose();
        Assert.True(file.IsClosed);
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Dispose_WithRegistrations_ReleasesTheHandlesAndLeavesThemOpen(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        using (IIoDriver driver = IoDriverFactory.Create(which))
        {
            driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, new RecordingHandler());
        }

        Assert.False(pair.Near.SafeHandle.IsClosed);
        Assert.Equal(1, pair.Near.Send((ReadOnlySpan<byte>)[7]));
        Assert.Equal(1, pair.Far.Receive(new byte[4], SocketFlags.None));
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Add_AfterDispose_ThrowsObjectDisposed(LoopDriver which)
    {
        using SocketPair pair = SocketPair.Tcp();
        IIoDriver driver = IoDriverFactory.Create(which);
        driver.Dispose();
        driver.Dispose();
        Assert.Throws<ObjectDisposedException>(
            () => driver.Add(pair.Near.SafeHandle, IoEvents.Read, IoTrigger.WhileReady, new RecordingHandler()));
    }
}
