using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Drivers;

/// <summary>Drivers and channels leave no descriptor behind.</summary>
[Collection(NonParallel.Name)]
public sealed class DescriptorHygieneTests
{
    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Dispose_Driver_ClosesAllItMade(LoopDriver which)
    {
        IoDriverFactory.Create(which).Dispose();
        LeakCheck leaks = LeakCheck.Begin();
        for (int i = 0; i < 10; i++)
        {
            IIoDriver driver = IoDriverFactory.Create(which);
            driver.Wake();
            driver.Wait(TimeSpan.Zero);
            driver.Dispose();
        }

        leaks.Verify();
    }

    [Theory]
    [MemberData(nameof(DriverCases.WithAddresses), MemberType = typeof(DriverCases))]
    public void Close_Channel_ClosesItsSocket(LoopDriver which, string address)
    {
        ChannelPair.Connect(which, address).Dispose();
        LeakCheck leaks = LeakCheck.Begin();
        for (int i = 0; i < 5; i++)
        {
            using ChannelPair pair = ChannelPair.Connect(which, address);
            pair.Near.Close(reset: i % 2 == 0);
        }

        leaks.Verify();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void Connect_Refused_LeavesNothing(LoopDriver which)
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        LeakCheck leaks = LeakCheck.Begin();
        using (IIoDriver driver = IoDriverFactory.Create(which))
        {
            IStreamChannel channel = driver.OpenStream(driver.CreateSocket(AddressFamily.InterNetwork));
            IoResult result = channel.Connect(bound.LocalEndPoint!);
            var owner = new RecordingOwner();
            channel.Start(owner);
            driver.PumpUntil(() => result.IsError || owner.Connected is not null, "the refusal");
            channel.Close(reset: false);
        }

        leaks.Verify();
    }

    [Theory]
    [MemberData(nameof(DriverCases.All), MemberType = typeof(DriverCases))]
    public void AdoptSocket_Owned_IsClosedWithIt(LoopDriver which)
    {
        LeakCheck leaks = LeakCheck.Begin();
        using (IIoDriver driver = IoDriverFactory.Create(which))
        {
            var given = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            RawSocket adopted = driver.AdoptSocket(given.SafeHandle.DangerousGetHandle(), ownsDescriptor: true);
            given.SafeHandle.SetHandleAsInvalid();
            adopted.Dispose();
        }

        leaks.Verify();
    }
}
