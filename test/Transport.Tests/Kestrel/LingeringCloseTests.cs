using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class LingeringCloseTests
{
    // More than a client's kernel takes in before it reads: the rest waits in ours, and a reset would drop it.
    private const int Answer = 512 * 1024;

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-74"), Contract("K-67")]
    public async Task DisposeAsync_ClientGoesOnSending_GetsAllOfTheAnswer(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using TransportHost host = Create(mode, driver, scheduling, o => o.MaxWriteBufferSize = null);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await client.SendAllAsync(new byte[10_000]);
        ReadResult part = await connection.Transport.Input.ReadSoonAsync();
        connection.Transport.Input.AdvanceTo(part.Buffer.GetPosition(100)); // refused after a look at its beginning
        await connection.Transport.Output.WriteAsync(new byte[Answer], TestContext.Current.CancellationToken).WithDeadline();
        await connection.DisposeAsync().WithDeadline(); // is not delayed by a client that has not ended
        Assert.Equal(0, host.Connections);
        for (int i = 0; i < 20; i++)
        {
            await client.SendAllAsync(new byte[64 * 1024]);
            await host.SettleAsync();
        }

        Assert.Equal(Answer, (await client.ReceiveToEndAsync()).Length);
        Assert.Single(host.LogsOf("ConnectionWriteFin"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-74")]
    public async Task DisposeAsync_ClientSendsIntoAPausedConnection_GetsAllOfTheAnswer(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using TransportHost host = Create(mode, driver, scheduling, o => o.MaxReadBufferSize = 4096);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.SendUntilFull();
        PipeExtensions.Eventually(() => host.LogsOf("ConnectionPause").Length == 1, "The connection did not pause.");
        Task<FlushResult> flush = connection.Transport.Output.WriteAsync(new byte[10_000], TestContext.Current.CancellationToken).WithDeadline();
        await connection.DisposeAsync().WithDeadline();
        await client.SendAllAsync(new byte[1024 * 1024]);
        Assert.Equal(10_000, (await client.ReceiveToEndAsync()).Length);
        await flush;
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-74"), Contract("K-77")]
    public async Task DisposeAsync_AllWasRead_ClosesTheDescriptorAtOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await client.SendTextAsync("question");
        Assert.Equal("question", await connection.Transport.Input.ReadTextAsync(8));
        await connection.Transport.Output.WriteTextAsync("answer");
        await connection.DisposeAsync().WithDeadline();
        Assert.Equal("answer", await client.ReceiveTextToEndAsync());

        // Nothing lingers: what is sent now is refused.
        SocketException refused = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < Deadline.Default;)
            {
                await client.SendAllAsync(new byte[1]);
            }
        });
        Assert.Contains(refused.SocketErrorCode, new[] { SocketError.ConnectionReset, SocketError.Shutdown });
    }

    // On a clock that stands still: the time that a close lingers is not to run out on a slow machine.
    private static TransportHost Create(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling, Action<LoopBridgeOptions> configure)
        => new(mode, driver, scheduling, configure, clock: new ManualTimeProvider());
}
