using System.Net;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class HalfCloseTests
{
    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-75"), Contract("K-54"), Contract("K-69")]
    public async Task PeerFin_HalfCloseAllowed_TokenWaitsForTheEndOfTheOutput(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling, o => o.AllowHalfClose = true);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        int fired = 0;
        connection.ConnectionClosed.Register(() => Interlocked.Increment(ref fired));
        await client.SendTextAsync("question");
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(8, await connection.Transport.Input.DrainAsync());
        await host.SettleAsync();
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
        await connection.Transport.Output.WriteTextAsync("answer");
        Assert.Equal("answer"u8.ToArray(), await client.ReceiveExactlyAsync(6));

        // What would fire it for the FIN is queued by now: let the pool run it.
        for (int i = 0; i < 100; i++)
        {
            await Task.Yield();
        }

        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
        await connection.DisposeAsync().WithDeadline();
        Assert.Equal(1, fired);
        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Single(host.LogsOf("ConnectionReadFin"));
        Assert.Single(host.LogsOf("ConnectionWriteFin"));
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-75"), Contract("K-69")]
    public async Task AllowHalfClose_FinHasFiredTheTokenAlready_ThereIsAnotherThatFiresAtTheEnd(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        client.Shutdown(SocketShutdown.Send);
        await connection.ClosedAsync();
        connection.Features.Get<IHalfCloseFeature>()!.AllowHalfClose();
        connection.Features.Get<IHalfCloseFeature>()!.AllowHalfClose();
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
        int fired = 0;
        connection.ConnectionClosed.Register(() => Interlocked.Increment(ref fired));
        await connection.Transport.Output.WriteTextAsync("answer");
        await connection.DisposeAsync().WithDeadline();
        Assert.Equal(1, fired);
        Assert.Equal("answer", await client.ReceiveTextToEndAsync());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-75")]
    public async Task AllowHalfClose_ConnectionClosedAlready_TokenStaysFired(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        await connection.DisposeAsync().WithDeadline();
        connection.Features.Get<IHalfCloseFeature>()!.AllowHalfClose();
        Assert.True(connection.ConnectionClosed.IsCancellationRequested);
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-75"), Contract("K-69")]
    public async Task PeerReset_HalfCloseAllowed_TokenFiresAtOnce(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync();
        connection.Features.Get<IHalfCloseFeature>()!.AllowHalfClose();
        client.Reset();
        await connection.ClosedAsync();
    }

    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-75")]
    public async Task UseHalfClose_HttpClientFinishesBeforeTheAnswer_GetsItOnThatEndpointAlone(
        LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        var entered = new SemaphoreSlim(0);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using LoopBridgeServer server = await LoopBridgeServer.StartAsync(
            mode,
            driver,
            kestrel: k =>
            {
                k.Listen(IPAddress.Loopback, 0, l => l.UseHalfClose());
                k.Listen(IPAddress.Loopback, 0);
            },
            options: o => o.Scheduling = scheduling,
            app: built =>
            {
                built.MapGet("/slow", async (HttpContext context) =>
                {
                    context.RequestAborted.Register(() => aborted.TrySetResult());
                    entered.Release();
                    await go.Task;
                    await context.Response.WriteAsync("late answer", CancellationToken.None);
                });
            });
        using Socket served = TransportHost.Dial(server.EndPoint(0));
        using Socket given = TransportHost.Dial(server.EndPoint(1));
        foreach (Socket client in new[] { served, given })
        {
            await client.SendTextAsync("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
            Assert.True(await entered.WaitAsync(Deadline.Default, TestContext.Current.CancellationToken));
            client.Shutdown(SocketShutdown.Send);
        }

        await aborted.Task.WithDeadline(); // the other endpoint's: by then the FIN of the first has been seen, too
        go.SetResult();
        Assert.Contains("late answer", await served.ReceiveTextToEndAsync(), StringComparison.Ordinal);
    }
}
