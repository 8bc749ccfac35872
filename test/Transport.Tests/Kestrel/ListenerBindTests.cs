using System.Buffers;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using LoopBridge.Kestrel;
using LoopBridge.Testing;
using LoopBridge.Transport.Tests.Sockets;
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
        IConnectionListener listener = await host.BindAsync(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        (ConnectionContext connection, _) = await host.ConnectAsync(listener);
        Assert.Equal(IPAddress.IPv6Loopback, ((IPEndPoint)connection.LocalEndPoint!).Address);
        using Socket socket = ((LoopConnectionListener)listener).Socket.Raw.Borrow();
        Assert.False(socket.DualMode);
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
    [Contract("K-14"), Contract("K-08"), Contract("K-12")]
    public async Task BindAsync_TheListeningSocket_HasTheOptionsOfStock(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Options and backlog are read as on Linux.");
        await using var host = new TransportHost(mode, driver);
        using Socket socket = ((LoopConnectionListener)await host.BindAsync()).Socket.Raw.Borrow();
        Assert.True(socket.ReusesAddress());
        Assert.False(socket.ReusesPort());
        Assert.Equal(512, socket.Backlog());
        Assert.True(socket.IsNonBlocking());
        Assert.True(socket.IsClosedOnExec());
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-14")]
    public async Task BindAsync_ReusePort_TwoListenersShareAPort(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SO_REUSEPORT.");
        await using var host = new TransportHost(mode, driver, configure: o => o.ReusePort = true);
        IConnectionListener first = await host.BindAsync();
        IConnectionListener second = await host.BindAsync(first.EndPoint);
        await first.DisposeAsync().WithDeadline();
        await host.ConnectAsync(second);
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-13"), Contract("K-09")]
    public async Task BindAsync_LinkLocalAddress_KeepsItsScope(LoopBridgeMode mode, LoopDriver driver)
    {
        IPAddress? linkLocal = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(static network => network.GetIPProperties().UnicastAddresses)
            .Select(static unicast => unicast.Address)
            .FirstOrDefault(static address => address.IsIPv6LinkLocal);
        Assert.SkipWhen(linkLocal is null, "No interface of this machine has a link-local IPv6 address.");
        Assert.NotEqual(0, linkLocal.ScopeId);
        await using var host = new TransportHost(mode, driver);
        IConnectionListener listener = await host.BindAsync(new IPEndPoint(linkLocal, 0));
        var bound = Assert.IsType<IPEndPoint>(listener.EndPoint);
        Assert.Equal((linkLocal, linkLocal.ScopeId), (bound.Address, bound.Address.ScopeId));
        (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
        Assert.Equal(bound, connection.LocalEndPoint);
        Assert.Equal(client.LocalEndPoint, connection.RemoteEndPoint);
        Assert.Equal(linkLocal.ScopeId, ((IPEndPoint)connection.RemoteEndPoint!).Address.ScopeId);
        await listener.DisposeAsync().WithDeadline();
        Assert.Equal(bound, (await host.BindAsync(bound)).EndPoint); // and again with a fixed port
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-19")]
    public async Task BindAsync_CancelledWhileALoopIsHeld_EndsAndLeavesThePortFree(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using var port = new ReservedPort();
        IConnectionListener before = await host.BindAsync(port.EndPoint);
        await before.DisposeAsync().WithDeadline();
        using (HeldLoops.Hold(host.Group))
        {
            using var cancel = new CancellationTokenSource();
            Task<IConnectionListener> bind = host.Factory.BindAsync(before.EndPoint, cancel.Token).AsTask();
            Assert.False(bind.IsCompleted);
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bind.WithDeadline());
        }

        PipeExtensions.Eventually(() => host.Pools.Open == 0, "What was begun is not closed.");
        await host.ConnectAsync(await host.BindAsync(before.EndPoint));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-19")]
    public async Task BindAsync_NoPools_LeavesThePortFree(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        using var port = new ReservedPort();
        IConnectionListener before = await host.BindAsync(port.EndPoint);
        await before.DisposeAsync().WithDeadline();
        var factory = new LoopTransportFactory(host.Group, host.Options, new FailingPools(host.Pools), host.Loggers);
        await Assert.ThrowsAsync<InsufficientMemoryException>(
            () => factory.BindAsync(before.EndPoint, TestContext.Current.CancellationToken).WithDeadline());
        Assert.Equal(0, host.Pools.Open);
        await host.ConnectAsync(await host.BindAsync(before.EndPoint));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-17")]
    public async Task FileHandleEndPoint_OfEachFamily_ReportsItsAddressAndServes(LoopBridgeMode mode, LoopDriver driver)
    {
        using var path = new TemporaryPath();
        await using var host = new TransportHost(mode, driver);
        var endPoints = new List<EndPoint> { TransportHost.AnyPort, path.EndPoint };
        if (Socket.OSSupportsIPv6)
        {
            endPoints.Add(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        }

        foreach (EndPoint endPoint in endPoints)
        {
            using var bound = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            bound.Bind(endPoint);
            IConnectionListener listener = await host.BindAsync(new FileHandleEndPoint((ulong)bound.Handle, FileHandleType.Auto));
            Assert.Equal(bound.LocalEndPoint!.ToString(), listener.EndPoint.ToString());
            (ConnectionContext connection, Socket client) = await host.ConnectAsync(listener);
            await client.SendTextAsync("x");
            Assert.Equal("x", await connection.Transport.Input.ReadTextAsync(1));
            await listener.DisposeAsync().WithDeadline();
            Assert.True(endPoint is not UnixDomainSocketEndPoint || File.Exists(path.Path), "The file belongs to whoever bound it.");
        }
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

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-31")]
    public async Task AcceptAsync_TcpConnection_DoesNotBlockIsNotInheritedAndSendsNoProbes(LoopBridgeMode mode, LoopDriver driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The flags of a descriptor are read as on Linux.");
        await using var host = new TransportHost(mode, driver);
        (ConnectionContext connection, _) = await host.ConnectAsync();
        Socket socket = connection.Features.Get<IConnectionSocketFeature>()!.Socket;
        Assert.True(socket.IsNonBlocking());
        Assert.True(socket.IsClosedOnExec());
        Assert.Equal(0, socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
    }

    [Theory, MemberData(nameof(Cases.Drivers), MemberType = typeof(Cases))]
    [Contract("K-80"), Contract("K-36")]
    public async Task Connections_OfTwoListeners_AreSpreadOverTheSameLoops(LoopBridgeMode mode, LoopDriver driver)
    {
        await using var host = new TransportHost(mode, driver);
        IConnectionListener[] listeners = [await host.BindAsync(), await host.BindAsync()];
        for (int i = 0; i < 8; i++)
        {
            await host.ConnectAsync(listeners[i % 2]);
        }

        Assert.All(host.Group.Members, member => Assert.Equal(4, member.Connections));
    }

    // The first loop gets its pool, the second none.
    private sealed class FailingPools(CheckingPools pools) : IMemoryPoolFactory<byte>
    {
        private int _made;

        public MemoryPool<byte> Create(MemoryPoolOptions? options = null)
            => _made++ == 0 ? pools.Create(options) : throw new InsufficientMemoryException();
    }

    private sealed class DerivedEndPoint() : IPEndPoint(IPAddress.Loopback, 1);
}
