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
    public async Task Accept_OutOfDescriptors_WaitsWithoutSpinningThenServes(Ground ground)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit is set by setrlimit(2).");
        await using Listening listening = await Listening.OpenAsync(ground, start: false);
        await listening.Loop.InvokeAsync(listening.Listener.Start);
        using (listening.Connect())
        {
            await listening.WaitAcceptedAsync(1); // loads whatever code and files this needs
        }

        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (UseUpDescriptors())
        {
            client.Connect(listening.EndPoint);
            while (listening.Logger.Entries.Count == 0)
            {
                await listening.Loop.SettleAsync(1);
            }

            await Spin.AssertNoneAsync(listening.Loop);
            Assert.Equal(1, listening.Accepted);
        }

        await listening.WaitAcceptedAsync(1);
        Assert.All(listening.Logger.Entries, entry =>
        {
            Assert.Equal(LogLevel.Warning, entry.Level);
            Assert.Contains("ulimit -n", entry.Text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Dispose_WhileWaitingForDescriptors_LeavesNoTimeout()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit is set by setrlimit(2).");
        await using Listening listening = await Listening.OpenAsync(Ground.Epoll);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (UseUpDescriptors())
        {
            client.Connect(listening.EndPoint);
            while (listening.Logger.Entries.Count == 0)
            {
                await listening.Loop.SettleAsync(1);
            }

            await listening.Loop.InvokeAsync(listening.Listener.Dispose);
        }

        Assert.Equal(0, listening.Loop.PendingTimeouts);
    }

    // The soft limit comes down to little more than what is open; duplicates take the rest.
    private static Restore UseUpDescriptors()
    {
        Assert.Equal(0, LibCalls.GetLimit(LibCalls.LimitOfFiles, out LibCalls.Limit before));
        int highest = Directory.EnumerateFileSystemEntries("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path), null));
        Assert.Equal(0, LibCalls.SetLimit(LibCalls.LimitOfFiles, before with { Soft = (ulong)highest + 20 }));
        var duplicates = new List<int>();
        int duplicate;
        while ((duplicate = LibCalls.Duplicate(0)) >= 0)
        {
            duplicates.Add(duplicate);
        }

        return new Restore(before, duplicates);
    }

    private sealed class Restore(LibCalls.Limit before, List<int> duplicates) : IDisposable
    {
        public void Dispose()
        {
            duplicates.ForEach(duplicate => LibCalls.Close(duplicate));
            Assert.Equal(0, LibCalls.SetLimit(LibCalls.LimitOfFiles, before));
        }
    }
}
