using System.Net;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>An endpoint that has as many connections as it may have.</summary>
public sealed class ListenerLimitTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-30"), Contract("K-24")]
    public async Task AcceptAsync_AsManyAsThereMayBe_TheNextWaitsUntilOneEnds(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Full(mode, driver, LoopFullAction.Wait);
        IConnectionListener listener = await host.BindAsync();
        (ConnectionContext first, _) = await host.ConnectAsync(listener);
        await host.ConnectAsync(listener);
        using Socket third = TransportHost.Dial(listener.EndPoint);
        using Socket fourth = TransportHost.Dial(listener.EndPoint);
        Task<ConnectionContext?> pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        await host.SettleAsync();
        Assert.False(pending.IsCompleted);
        Assert.Equal(2, host.Connections);

        await first.DisposeAsync().WithDeadline();
        ConnectionContext? served = await pending.WithDeadline();
        pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        served!.Abort(new ConnectionAbortedException("The test has seen it."));
        ConnectionContext? last = await pending.WithDeadline();

        // The kernel queues them in the order in which their handshakes ended, which two processors may turn round.
        EndPoint?[] waited = [third.LocalEndPoint, fourth.LocalEndPoint];
        Assert.Contains(served.RemoteEndPoint, waited);
        Assert.Contains(last!.RemoteEndPoint, waited);
        Assert.NotEqual(served.RemoteEndPoint, last.RemoteEndPoint);
        await served.DisposeAsync().WithDeadline();
        await last.DisposeAsync().WithDeadline();
        Assert.Single(host.LogsOf("ListenerFull"), entry => entry.Message.EndsWith("new ones are left waiting.", StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-30"), Contract("K-23")]
    public async Task Unbind_WhileFull_EndsAcceptingAndTheConnectionsGoOn(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Full(mode, driver, LoopFullAction.Wait);
        IConnectionListener listener = await host.BindAsync();
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
        await host.ConnectAsync(listener);
        using Socket third = TransportHost.Dial(listener.EndPoint);
        Task<ConnectionContext?> pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Null(await pending.WithDeadline());
        await third.AssertResetAsync(); // more than there may be, also at the end
        await client.SendTextAsync("still there");
        Assert.Equal("still there", await connection.Transport.Input.ReadTextAsync(11));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-30")]
    public async Task AcceptAsync_MoreThanThereMayBe_AreClosedAndCounted(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Full(mode, driver, LoopFullAction.Close);
        var counters = new AcceptCounters();
        var factory = new LoopTransportFactory(host.Group, host.Options, host.Pools, host.Loggers, counters);
        await using IConnectionListener listener = await factory.BindAsync(TransportHost.AnyPort, TestContext.Current.CancellationToken).WithDeadline();
        (ConnectionContext first, _) = await host.ConnectAsync(listener);
        await host.ConnectAsync(listener);
        for (int i = 0; i < 5; i++)
        {
            using Socket more = TransportHost.Dial(listener.EndPoint);
            Assert.Empty(await more.ReceiveToEndAsync()); // an orderly end
        }

        Assert.Equal(5, counters.Rejected);
        Assert.Single(host.LogsOf("ListenerFull"), entry => entry.Message.EndsWith("new ones are closed.", StringComparison.Ordinal));
        await first.DisposeAsync().WithDeadline();
        await host.ConnectAsync(listener);
    }

    // The third of a burst must be closed, too, and the count must come back to zero from whichever side connections end.
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-30")]
    public async Task AcceptAsync_ManyComeAndGo_NeverMoreThanThereMayBe(LoopBridgeMode mode, LoopDriver driver)
    {
        await using TransportHost host = Full(mode, driver, LoopFullAction.Wait);
        IConnectionListener listener = await host.BindAsync();
        Task serve = ServeAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 25; i++)
            {
                using Socket client = TransportHost.Dial(listener.EndPoint);
                await client.SendTextAsync("?");
                Assert.Equal("!", await client.ReceiveTextToEndAsync());
            }
        })));
        await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        await serve.WithDeadline();

        async Task ServeAsync()
        {
            while (await listener.AcceptAsync(TestContext.Current.CancellationToken) is { } connection)
            {
                Assert.InRange(host.Connections, 0, 2);
                _ = AnswerAsync(connection);
            }
        }

        static async Task AnswerAsync(ConnectionContext connection)
        {
            await connection.Transport.Input.ReadTextAsync(1);
            await connection.Transport.Output.WriteTextAsync("!");
            await connection.DisposeAsync();
        }
    }

    private static TransportHost Full(LoopBridgeMode mode, LoopDriver driver, LoopFullAction action)
        => new(mode, driver, configure: o => (o.MaxConnectionsPerEndpoint, o.WhenFull) = (2, action))
        {
            Expected = entry => entry.Id.Name == "ListenerFull",
        };
}
