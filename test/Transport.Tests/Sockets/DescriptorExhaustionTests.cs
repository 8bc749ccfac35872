using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Sockets;

[Collection(NonParallel.Name)]
public sealed class DescriptorExhaustionTests
{
    [Theory]
    [InlineData(Ground.Epoll)]
    [InlineData(Ground.Managed)]
    [InlineData(Ground.Handlers)]
    public async Task Accept_HardlyADescriptorLeft_WaitsWithoutSpinningThenServes(Ground ground)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit is set by setrlimit(2).");
        await using Listening listening = await Listening.OpenAsync(ground, start: false);
        await listening.Loop.InvokeAsync(listening.Listener.Start);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (Descriptors.LeaveFew())
        using (listening.Connect())
        {
            await listening.WaitAcceptedAsync(1); // the last one
            client.Connect(listening.EndPoint);
            while (listening.Logger.Entries.Count == 0)
            {
                await listening.Loop.SettleAsync(1);
            }

            await Spin.AssertNoneAsync(listening.Loop);
            Assert.Equal(1, listening.Accepted);
        }

        await listening.WaitAcceptedAsync(1);

        // Loud once; what follows within a minute is for those who look for it.
        Assert.Equal(LogLevel.Warning, listening.Logger.Entries.First().Level);
        Assert.All(listening.Logger.Entries.Skip(1), entry => Assert.Equal(LogLevel.Debug, entry.Level));
        Assert.All(listening.Logger.Entries, entry => Assert.Contains("ulimit -n", entry.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Dispose_WhileWaitingForDescriptors_LeavesNoTimeout()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit is set by setrlimit(2).");
        await using Listening listening = await Listening.OpenAsync(Ground.Epoll);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (Descriptors.LeaveFew())
        {
            client.Connect(listening.EndPoint); // the last one
            while (listening.Logger.Entries.Count == 0)
            {
                await listening.Loop.SettleAsync(1);
            }

            await listening.Loop.InvokeAsync(listening.Listener.Dispose);
        }

        Assert.Equal(0, listening.Loop.PendingTimeouts);
    }
}
