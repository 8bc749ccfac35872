using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Transport.Tests.Kestrel.Adaptive;

/// <summary>Kestrel begins connections on the thread pool. Their handlers do not run there.</summary>
public sealed class FirstReadTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task FirstRead_OnThePoolWithItsBytesThere_IsResumedOnTheLoop(LoopBridgeMode mode, LoopDriver driver)
    {
        // With no limit that the read could overstay by being kept from its processor: it would lose the loop.
        await using var host = new TransportHost(mode, driver, LoopScheduling.Adaptive, o => o.OverstayLimit = Deadline.Default);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        await client.SendTextAsync("bytes");
        await host.SettleAsync();
        PipeReader input = connection.Transport.Input;
        (string place, string text) = await Task.Run(async () =>
        {
            ReadResult result = await input.ReadAsync(CancellationToken.None); // not one that looks whether it is completed: that is what is asked here
            string read = Encoding.ASCII.GetString(result.Buffer);
            input.AdvanceTo(result.Buffer.Start);
            return (Place.OfCaller(), read);
        }).WithDeadline();
        Assert.Equal((Place.Loop, "bytes"), (place, text));

        // Whoever goes on on the pool by himself later is answered there, as on stock Kestrel.
        await Task.Run(
            () =>
            {
                ValueTask<ReadResult> read = input.ReadAsync(CancellationToken.None);
                Assert.True(read.IsCompleted);
                input.AdvanceTo(read.Result.Buffer.End);
            },
            TestContext.Current.CancellationToken).WithDeadline();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78"), Contract("K-57")]
    public async Task FirstRead_CancelledOrAtTheEnd_IsResumed(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver, LoopScheduling.Adaptive);
        (ConnectionContext cancelled, _) = await host.ConnectAsync();
        cancelled.Transport.Input.CancelPendingRead();
        Assert.True((await Task.Run(() => cancelled.Transport.Input.ReadSoonAsync())).IsCanceled);

        (ConnectionContext ended, Socket client) = await host.ConnectAsync();
        client.Shutdown(SocketShutdown.Send);
        await ended.ClosedAsync();
        Assert.True((await Task.Run(() => ended.Transport.Input.ReadSoonAsync())).IsCompleted);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-78")]
    public async Task Handlers_OfNewConnections_DoNotRunOnThePool(LoopBridgeMode mode, LoopDriver driver)
    {
        await using LoopBridgeServer server = await OneLoopServer.StartAsync(
            mode, driver, LoopScheduling.Adaptive, app => app.MapGet("/", (HttpContext context) => context.Response.WriteAsync(Place.OfCaller())));
        for (int i = 0; i < 50; i++)
        {
            using Socket client = TransportHost.Dial(server.EndPoint());
            await client.SendTextAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            string answer = await client.ReceiveTextToEndAsync();
            Assert.DoesNotContain(Place.Pool, answer, StringComparison.Ordinal);
        }
    }
}
