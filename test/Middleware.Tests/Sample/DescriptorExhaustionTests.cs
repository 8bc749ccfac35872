using System.Net.Sockets;
using LoopBridge.Middleware.Tests.Handlers;
using LoopBridge.Testing;

namespace LoopBridge.Middleware.Tests.Sample;

/// <summary>A process that has run out of descriptors rests, and resumes when it has some again.</summary>
public sealed class DescriptorExhaustionTests
{
    [Theory]
    [InlineData("ReactorOnLoop", "Epoll")]
    [InlineData("ReactorOnLoop", "Managed")]
    [InlineData("LoopOnReactor", "Epoll")]
    public async Task Accept_WithoutDescriptors_DoesNotSpinAndResumes(string mode, string driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit and the CPU time are read as Linux has them.");
        await using SampleProcess sample = await SampleProcess.StartAsync(
            "ulimit -n 250", $"--LoopBridge:Mode={mode}", $"--LoopBridge:Driver={driver}");
        await using (Client before = await Client.TcpAsync(sample.EndPoint("Echo")))
        {
            await EchoAsync(before);
        }

        // More than the process can have: the rest waits in the kernel's queue.
        var crowd = new List<Socket>();
        for (int i = 0; i < 400; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            crowd.Add(socket);
            await socket.ConnectAsync(sample.EndPoint("Echo"), TestContext.Current.CancellationToken).WithDeadline();
        }

        await sample.WaitForLineAsync("for lack of resources").WithDeadline();

        // A spinning accept uses all the CPU time that it can get; one that rests uses next to nothing.
        long ticks = await CpuTicksInAWindowAsync(sample);
        Assert.True(ticks < 100, $"{ticks} ticks of 10 ms within 2 s: the process spins.");

        crowd.ForEach(socket => socket.Dispose());
        await using Client after = await Client.TcpAsync(sample.EndPoint("Echo"));
        await EchoAsync(after);
        await sample.TerminateAsync();
        Assert.Equal(0, await sample.WaitForExitAsync());
    }

    // A window of time is what CPU use is measured against; nothing is waited for here.
    private static async Task<long> CpuTicksInAWindowAsync(SampleProcess sample)
    {
        long before = sample.CpuTicks;
        using var window = new PeriodicTimer(TimeSpan.FromSeconds(2));
        await window.WaitForNextTickAsync(TestContext.Current.CancellationToken).WithDeadline();
        return sample.CpuTicks - before;
    }

    private static async Task EchoAsync(Client client)
    {
        await client.SendAsync("on"u8.ToArray());
        Assert.Equal("on"u8.ToArray(), await client.ReceiveAsync(2));
    }
}
