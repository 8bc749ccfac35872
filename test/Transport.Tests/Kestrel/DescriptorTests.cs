using System.Net.Sockets;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Kestrel;

[Collection(NonParallel.Name)]
public sealed class DescriptorTests
{
    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-77"), Contract("K-81"), Contract("K-100")]
    public async Task EveryEnd_OfManyConnections_LeavesNoDescriptor(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await RoundAsync(mode, driver, scheduling);
        LeakCheck check = LeakCheck.Begin();
        await RoundAsync(mode, driver, scheduling);
        check.Verify();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-26"), Contract("K-24")]
    public async Task AcceptAsync_HardlyADescriptorLeft_RecoversWithoutThrowing(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit of descriptors is set as on Linux.");
        await using var host = new TransportHost(mode, driver) { Expected = entry => entry.Level == LogLevel.Warning };
        IConnectionListener listener = await host.BindAsync();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Task<ConnectionContext?> pending;
        using (Descriptors.LeaveFew())
        {
            await host.ConnectAsync(listener); // the last one
            client.Connect(listener.EndPoint);
            pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
            PipeExtensions.Eventually(() => host.LogsOf("AcceptExhausted").Length >= 3, "Exhaustion was not reported.");
            Assert.False(pending.IsCompleted);
            Assert.Single(host.Logs.Entries, entry => entry.Level >= LogLevel.Warning); // at its first try, and not with each
        }

        ConnectionContext? connection = await pending.WithDeadline();
        await connection!.DisposeAsync().WithDeadline();
    }

    private static async Task RoundAsync(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        IConnectionListener listener = await host.BindAsync();
        for (int i = 0; i < 40; i++)
        {
            using Socket client = TransportHost.Dial(listener.EndPoint);
            ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
            if (i % 2 == 0)
            {
                _ = connection!.Features.Get<IConnectionSocketFeature>()!.Socket.NoDelay;
            }

            await client.SendTextAsync("some bytes");
            switch (i % 5)
            {
                case 0:
                    client.Shutdown(SocketShutdown.Send);
                    break;
                case 1:
                    client.Reset();
                    break;
                case 2:
                    connection!.Abort(new ConnectionAbortedException("Enough."));
                    break;
                case 3:
                    await connection!.Transport.Output.WriteTextAsync("bytes nobody reads");
                    break;
                default:
                    await connection!.Transport.Input.CompleteAsync();
                    break;
            }

            await connection!.DisposeAsync().WithDeadline();
        }
    }
}
