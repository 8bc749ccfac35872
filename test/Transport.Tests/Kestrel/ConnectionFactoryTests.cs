using System.Net;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Resolvers;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ConnectionFactoryTests
{
    [Theory, MemberData(nameof(Cases.All), MemberType = typeof(Cases))]
    [Contract("K-99"), Contract("K-100"), Contract("K-101")]
    public async Task ConnectAsync_IPEndPoint_GivesARunningConnection(LoopBridgeMode mode, LoopDriver driver, LoopScheduling scheduling)
    {
        await using var host = new TransportHost(mode, driver, scheduling);
        using LoopConnectionFactory factory = Create(host);
        IConnectionListener listener = await host.BindAsync();
        await using ConnectionContext client = await factory.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken).WithDeadline();
        await using ConnectionContext? server = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(listener.EndPoint, client.RemoteEndPoint);
        Assert.Equal(server!.RemoteEndPoint, client.LocalEndPoint);
        Assert.True(client.Features.Get<IConnectionSocketFeature>()!.Socket.NoDelay);
        Assert.Null(client.Features.Get<IConnectionHeartbeatFeature>());
        Assert.Null(client.Features.Get<IConnectionLifetimeNotificationFeature>());
        Assert.Null(client.Features.Get<IConnectionCompleteFeature>());
        Assert.Null(client.Features.Get<IConnectionMetricsTagsFeature>());
        await EchoAsync(client, server);
        await server.DisposeAsync().WithDeadline();
        Assert.Equal(0, await client.Transport.Input.DrainAsync());
        await client.ClosedAsync();
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-99")]
    public async Task ConnectAsync_UnixAndDnsEndPoints_Connect(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        using LoopConnectionFactory factory = Create(host);
        IConnectionListener unix = await host.BindAsync(path.EndPoint);
        IConnectionListener ip = await host.BindAsync(); // IPv4 only: where the name has an IPv6 address too, that one refuses
        foreach ((IConnectionListener listener, EndPoint endPoint) in new[]
        {
            (unix, path.EndPoint),
            (ip, (EndPoint)new DnsEndPoint("localhost", ((IPEndPoint)ip.EndPoint).Port)),
        })
        {
            await using ConnectionContext client = await factory.ConnectAsync(endPoint, TestContext.Current.CancellationToken).WithDeadline();
            await using ConnectionContext? server = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
            await EchoAsync(client, server!);
        }
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-99")]
    public async Task ConnectAsync_EndPointsOfOtherKinds_FailPlainlyAndLeaveNothing(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using LoopConnectionFactory factory = Create(host);
        foreach (EndPoint endPoint in (EndPoint[])[new NamedPipeEndPoint("x"), new FileHandleEndPoint(0, FileHandleType.Auto)])
        {
            Exception? e = await Record.ExceptionAsync(() => factory.ConnectAsync(endPoint, TestContext.Current.CancellationToken).WithDeadline());
            Assert.IsType<NotSupportedException>(e);
            Assert.Contains(endPoint.ToString()!, e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, host.Connections);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-99"), Contract("K-100")]
    public async Task ConnectAsync_NameOfNobody_IsAPlainFailureAndLeavesNothing(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using LoopConnectionFactory factory = Create(host);
        using var cancel = new CancellationTokenSource();
        Task<ConnectionContext> pending = factory.ConnectAsync(new DnsEndPoint("nobody.invalid", 1), cancel.Token).WithDeadline(); // RFC 6761
        Exception? e = await Record.ExceptionAsync(() => pending);
        Assert.True(e is SocketException or IOException, $"{e}");
        Assert.Equal(0, host.Connections);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-100")]
    public async Task ConnectAsync_NobodyListens_IsASocketExceptionAndLeavesNothing(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using LoopConnectionFactory factory = Create(host);
        using var port = new ReservedPort();
        IConnectionListener gone = await host.BindAsync(port.EndPoint);
        await gone.DisposeAsync().WithDeadline();
        SocketException refused = await Assert.ThrowsAsync<SocketException>(() => factory.ConnectAsync(gone.EndPoint, TestContext.Current.CancellationToken).WithDeadline());
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        refused = await Assert.ThrowsAsync<SocketException>(() => factory.ConnectAsync(
            new DnsEndPoint("localhost", ((IPEndPoint)gone.EndPoint).Port), TestContext.Current.CancellationToken).WithDeadline());
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        PipeExtensions.Eventually(() => host.Connections == 0, "A refused connection is still counted.");
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-100")]
    public async Task ConnectAsync_Cancelled_ThrowsAndClosesTheHalfOpenSocket(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using LoopConnectionFactory factory = Create(host);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => factory.ConnectAsync(TransportHost.AnyPort, new CancellationToken(canceled: true)).WithDeadline());

        // A listener whose queue is full answers no SYN (tcp_abort_on_overflow off): the connect stays half open.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(TransportHost.AnyPort);
        full.Listen(0);
        using var cancel = new CancellationTokenSource();
        var opened = new List<ConnectionContext>();
        Task<ConnectionContext> pending;
        while (true)
        {
            pending = factory.ConnectAsync(full.LocalEndPoint!, cancel.Token).WithDeadline();
            await Task.WhenAny(pending, host.SettleAsync());
            if (!pending.IsCompleted) // asked once: it may complete at any moment
            {
                break;
            }

            opened.Add(await pending);
            Assert.InRange(opened.Count, 0, 100);
        }

        await cancel.CancelAsync();
        Exception? e = await Record.ExceptionAsync(() => pending);
        if (e is null)
        {
            opened.Add(await pending); // it was only slow, and connected before the cancellation
        }
        else
        {
            Assert.IsAssignableFrom<OperationCanceledException>(e);
        }

        foreach (ConnectionContext connection in opened)
        {
            connection.Abort(new ConnectionAbortedException("The test has seen it."));
            await connection.DisposeAsync().WithDeadline();
        }

        PipeExtensions.Eventually(() => host.Connections == 0, "A cancelled connection is still counted.");
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-102"), Contract("K-81")]
    public async Task Dispose_LiveConnection_GoesOn(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        LoopConnectionFactory factory = Create(host);
        IConnectionListener listener = await host.BindAsync();
        await using ConnectionContext client = await factory.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken).WithDeadline();
        await using ConnectionContext? server = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        factory.Dispose();
        factory.Dispose();
        await EchoAsync(client, server!);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => factory.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-99")]
    public async Task ConnectAsync_NoPoolFactory_UsesTheSharedPool(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using LoopConnectionFactory factory = Create(host, withPools: false);
        IConnectionListener listener = await host.BindAsync();
        await using ConnectionContext client = await factory.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken).WithDeadline();
        await using ConnectionContext? server = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        await EchoAsync(client, server!);
    }

    private static async Task EchoAsync(ConnectionContext client, ConnectionContext server)
    {
        await client.Transport.Output.WriteTextAsync("ping");
        Assert.Equal("ping", await server.Transport.Input.ReadTextAsync(4));
        await server.Transport.Output.WriteTextAsync("pong");
        Assert.Equal("pong", await client.Transport.Input.ReadTextAsync(4));
    }

    private static LoopConnectionFactory Create(TransportHost host, bool withPools = true)
    {
        var services = new ServiceCollection();
        services.AddSingleton(host.Loggers).AddLogging().AddMetrics();
        services.AddSingleton<INameResolver, ThreadedResolver>();
        if (withPools)
        {
            services.AddSingleton<IMemoryPoolFactory<byte>>(host.Pools);
        }

        ServiceProvider provider = services.BuildServiceProvider();
        host.OwnAtEnd(provider);
        return new LoopConnectionFactory(host.Group, provider.GetRequiredService<INameResolver>(), host.Options, host.Loggers, provider);
    }
}
