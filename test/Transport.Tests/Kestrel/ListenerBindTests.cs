using System.Net;
using System.Net.Sockets;
using LoopBridge.Testing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace LoopBridge.Transport.Tests.Kestrel;

public sealed class ListenerBindTests
{
    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-02"), Contract("K-03")]
    public async Task CanBind_EachKindOfEndPoint_OnlyItsOwnExactTypes(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        Assert.True(host.Factory.CanBind(new IPEndPoint(IPAddress.Loopback, 1)));
        Assert.True(host.Factory.CanBind(new UnixDomainSocketEndPoint("/tmp/x")));
        Assert.True(host.Factory.CanBind(new FileHandleEndPoint(3, FileHandleType.Auto)));
        Assert.False(host.Factory.CanBind(new NamedPipeEndPoint("x")));
        Assert.False(host.Factory.CanBind(new DnsEndPoint("localhost", 1)));
        Assert.False(host.Factory.CanBind(new DerivedEndPoint()));
        Assert.Throws<ArgumentNullException>(() => host.Factory.CanBind(null!));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-02")]
    public async Task CanBind_Disabled_LeavesAllToOthers(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver, configure: o => o.Enabled = false);
        Assert.False(host.Factory.CanBind(TransportHost.AnyPort));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-06"), Contract("K-05")]
    public async Task BindAsync_ForeignEndPoint_FailsWithPlainException(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        NotSupportedException e = await Assert.ThrowsAsync<NotSupportedException>(
            () => host.Factory.BindAsync(new DnsEndPoint("localhost", 1), TestContext.Current.CancellationToken).WithDeadline());
        Assert.Contains("localhost:1", e.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-08"), Contract("K-09"), Contract("K-07")]
    public async Task BindAsync_PortZero_ReportsTheRealPortAndListensBeforeAccept(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        var bound = Assert.IsType<IPEndPoint>(listener.EndPoint);
        Assert.NotEqual(0, bound.Port);
        Assert.Equal(IPAddress.Loopback, bound.Address);
        using Socket client = TransportHost.Dial(bound);
        await using ConnectionContext? connection = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.NotNull(connection);
        Assert.Equal(bound, connection.LocalEndPoint);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-10")]
    public async Task BindAsync_PortInUse_AddressInUseNamingTheEndPoint(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync();
        AddressInUseException e = await Assert.ThrowsAsync<AddressInUseException>(
            () => host.Factory.BindAsync(listener.EndPoint, TestContext.Current.CancellationToken).WithDeadline());
        Assert.Contains(listener.EndPoint.ToString()!, e.Message, StringComparison.Ordinal);
        Assert.IsAssignableFrom<SocketException>(e.InnerException);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-11")]
    public async Task BindAsync_AddressOfNobody_IsASocketException(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        SocketException e = await Assert.ThrowsAnyAsync<SocketException>( // TEST-NET-1, RFC 5737
            () => host.Factory.BindAsync(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0), TestContext.Current.CancellationToken).WithDeadline());
        Assert.Equal(SocketError.AddressNotAvailable, e.SocketErrorCode);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-19")]
    public async Task BindAsync_CancelledToken_LeavesTheAddressFree(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => host.Factory.BindAsync(TransportHost.AnyPort, new CancellationToken(canceled: true)).WithDeadline());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-12")]
    public async Task BindAsync_IPv6Any_TakesBothFamilies(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync(new IPEndPoint(IPAddress.IPv6Any, 0));
        int port = ((IPEndPoint)listener.EndPoint).Port;
        using Socket four = TransportHost.Dial(new IPEndPoint(IPAddress.Loopback, port));
        await using ConnectionContext? mapped = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(IPAddress.Loopback.MapToIPv6(), ((IPEndPoint)mapped!.RemoteEndPoint!).Address);
        using Socket six = TransportHost.Dial(new IPEndPoint(IPAddress.IPv6Loopback, port));
        await using ConnectionContext? native = await listener.AcceptAsync(TestContext.Current.CancellationToken).WithDeadline();
        Assert.Equal(IPAddress.IPv6Loopback, ((IPEndPoint)native!.RemoteEndPoint!).Address);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-12")]
    public async Task BindAsync_IPv6Loopback_IsIPv6Only(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync(await host.BindAsync(new IPEndPoint(IPAddress.IPv6Loopback, 0)));
        Assert.Equal(IPAddress.IPv6Loopback, ((IPEndPoint)connection.LocalEndPoint!).Address);
        using var beside = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        beside.Bind(new IPEndPoint(IPAddress.Any, ((IPEndPoint)connection.LocalEndPoint!).Port)); // not free beside a dual-mode socket
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-14"), Contract("K-20")]
    public async Task BindAsync_JustUnboundWithLiveConnection_BindsAgainAtOnce(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener first = await host.BindAsync();
        (ConnectionContext old, Socket oldClient) = await host.ConnectAsync(first);
        await first.UnbindAsync(TestContext.Current.CancellationToken).WithDeadline();
        IConnectionListener second = await host.BindAsync(first.EndPoint);
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(second);
        await client.SendTextAsync("new");
        await oldClient.SendTextAsync("old");
        Assert.Equal("new", await connection.Transport.Input.ReadTextAsync(3));
        Assert.Equal("old", await old.Transport.Input.ReadTextAsync(3));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-14")]
    public async Task BindAsync_PortWithConnectionsInTimeWait_Binds(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener first = await host.BindAsync();
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(first);
        await connection.DisposeAsync().WithDeadline(); // our FIN first: our side waits
        await client.ReceiveToEndAsync();
        client.Dispose();
        await first.DisposeAsync().WithDeadline();
        await host.ConnectAsync(await host.BindAsync(first.EndPoint));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-17"), Contract("K-18")]
    public async Task FileHandleEndPoint_DisposedListener_LeavesTheDescriptorListening(LoopBridgeMode mode, LoopDriver driver)
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(TransportHost.AnyPort); // not listening yet
        var endPoint = new FileHandleEndPoint((ulong)bound.Handle, FileHandleType.Auto);
        await using var host = new TransportHost(mode, driver);
        for (int round = 0; round < 2; round++)
        {
            IConnectionListener listener = await host.BindAsync(endPoint);
            Assert.Equal(bound.LocalEndPoint, listener.EndPoint);
            await host.ConnectAsync(listener);
            Task<ConnectionContext?> pending = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
            await listener.DisposeAsync().WithDeadline();
            Assert.Null(await pending.WithDeadline());
        }

        TransportHost.Dial(bound.LocalEndPoint!).Dispose(); // taken into its queue
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-17"), Contract("K-11")]
    public async Task FileHandleEndPoint_NoSocket_IsASocketException(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using FileStream file = File.OpenRead(typeof(ListenerBindTests).Assembly.Location);
        await Assert.ThrowsAnyAsync<SocketException>(() => host.Factory.BindAsync(
            new FileHandleEndPoint((ulong)file.SafeFileHandle.DangerousGetHandle(), FileHandleType.Auto), TestContext.Current.CancellationToken).WithDeadline());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-31")]
    public async Task AcceptAsync_TcpConnection_HasNoDelayAsConfigured(LoopBridgeMode mode, LoopDriver driver)
    {
        foreach (bool noDelay in new[] { true, false })
        {
            await using var host = new TransportHost(mode, driver, configure: o => o.NoDelay = noDelay);
            (ConnectionContext connection, _) = await host.ConnectAsync();
            Assert.Equal(noDelay, connection.Features.Get<IConnectionSocketFeature>()!.Socket.NoDelay);
        }
    }

    private sealed class DerivedEndPoint() : IPEndPoint(IPAddress.Loopback, 1);
}
