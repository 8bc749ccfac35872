using System.Net;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Transport.Tests.Kestrel;

/// <summary>What becomes of clients that wait in the kernel's queue: they are connected as far as they can know.</summary>
public sealed class ListenerQueueTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-38"), Contract("K-33")]
    public async Task Unbind_ClientsInTheQueue_AreHandedOutBeforeTheEnd(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using var port = new ReservedPort();
        await AssertQueueIsServedAsync(host, port.EndPoint, SocketError.ConnectionRefused);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-38"), Contract("K-15")]
    public async Task Unbind_ClientsInTheQueueOfAFile_AreHandedOutBeforeTheEnd(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        await AssertQueueIsServedAsync(host, path.EndPoint, SocketError.AddressNotAvailable); // ENOENT
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-38")]
    public async Task Unbind_MoreThanTheListenerTakesInAdvance_AllAreHandedOut(LoopBridgeMode mode, LoopDriver driver)
    {
        const int Count = 400; // the listener takes 256 in advance, the backlog the rest
        await using var host = new TransportHost(mode, driver, configure: o => o.Backlog = 1024);
        IConnectionListener listener = await host.BindAsync();
        Socket[] clients = [.. Enumerable.Range(0, Count).Select(_ => TransportHost.Dial(listener.EndPoint))];
        await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        for (int i = 0; i < Count; i++)
        {
            ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.NotNull(connection);
            connection.Abort(new ConnectionAbortedException("The test has seen it."));
            await connection.DisposeAsync().WithDeadline();
        }

        Assert.Null(await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline());
        Array.ForEach(clients, client => client.Dispose());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-38"), Contract("K-17"), Contract("K-18")]
    public async Task Unbind_DescriptorOfOthers_LeavesItsQueueToThem(LoopBridgeMode mode, LoopDriver driver)
    {
        using var shared = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        shared.Bind(TransportHost.AnyPort);
        var endPoint = new FileHandleEndPoint((ulong)shared.Handle, FileHandleType.Tcp);
        await using var host = new TransportHost(mode, driver, configure: o => o.MaxConnectionsPerEndpoint = 1);
        IConnectionListener first = await host.BindAsync(endPoint);
        await host.ConnectAsync(first); // as many as there may be: the next one waits in the queue
        using Socket client = TransportHost.Dial(first.EndPoint);
        await first.DisposeAsync().WithDeadline();

        IConnectionListener second = await host.BindAsync(endPoint);
        ConnectionContext? served = await second.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(client.LocalEndPoint, served!.RemoteEndPoint);
        await served.DisposeAsync().WithDeadline();
        host.Expected = entry => entry.Id.Name == "ListenerFull";
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-25"), Contract("K-24"), Contract("K-87")]
    public async Task AcceptAsync_ClientsThatResetInTheQueue_CostNothingButADebugLine(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        Socket healthy;
        using (HeldLoops.Hold(host.Group))
        {
            TransportHost.Dial(listener.EndPoint).Reset();
            TransportHost.Dial(listener.EndPoint).Reset();
            healthy = TransportHost.Dial(listener.EndPoint);
        }

        using Socket client = healthy;
        var served = new List<EndPoint?>();
        for (int i = 0; i < 3; i++)
        {
            // In no order: each loop hands out its own. Linux gives a dead connection out all the same, and tells of the reset when it is read from.
            await using ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.NotNull(connection);
            if (Equals(client.LocalEndPoint, connection.RemoteEndPoint))
            {
                served.Add(connection.RemoteEndPoint);
            }
            else
            {
                await Assert.ThrowsAsync<ConnectionResetException>(() => connection.Transport.Input.ReadSoonAsync());
            }
        }

        Assert.Equal([client.LocalEndPoint], served);
        Assert.Equal(2, host.LogsOf("ConnectionReset").Length);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-23"), Contract("K-37")]
    public async Task Unbind_ALoopIsHeld_TheEndShowsAllTheSame(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver) { Expected = entry => entry.Id.Name == "ListenerHeld" };
        var factory = new LoopTransportFactory(host.Group, host.Options, host.Pools, host.Loggers) { Patience = TimeSpan.FromMilliseconds(50) };
        using var port = new ReservedPort();
        IConnectionListener listener = await factory.BindAsync(port.EndPoint, TestContext.Current.CancellationToken).WithDeadline();
        Task<ConnectionContext?> pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        using (HeldLoops.Hold(host.Group))
        {
            await listener.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
            Assert.Null(await pending.WithDeadline());
            await listener.DisposeAsync().WithDeadline();
            Assert.Single(host.LogsOf("ListenerHeld"));
        }

        await host.SettleAsync();
        Assert.ThrowsAny<SocketException>(() => TransportHost.Dial(listener.EndPoint));
    }

    private static async Task AssertQueueIsServedAsync(TransportHost host, EndPoint endPoint, SocketError refusal)
    {
        const int Count = 20;
        IConnectionListener listener = await host.BindAsync(endPoint);
        Task unbind;
        var clients = new List<Socket>();
        using (HeldLoops.Hold(host.Group))
        {
            for (int i = 0; i < Count; i++)
            {
                clients.Add(TransportHost.Dial(listener.EndPoint));
                await clients[i].SendTextAsync($"{i:D2}");
            }

            unbind = listener.UnbindAsync(TestContext.Current.CancellationToken).AsTask();
        }

        await unbind.WithDeadline();
        Assert.Equal(refusal, Assert.ThrowsAny<SocketException>(() => TransportHost.Dial(listener.EndPoint)).SocketErrorCode);
        var seen = new List<string>();
        while (await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline() is { } connection)
        {
            seen.Add(await connection.Transport.Input.ReadTextAsync(2));
            await connection.Transport.Output.WriteTextAsync("ok");
            await connection.DisposeAsync().WithDeadline();
        }

        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"{i:D2}"), seen.Order());
        foreach (Socket client in clients)
        {
            Assert.Equal("ok", await client.ReceiveTextToEndAsync());
            client.Dispose();
        }
    }
}
