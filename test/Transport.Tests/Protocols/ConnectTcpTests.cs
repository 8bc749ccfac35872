using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

public sealed class ConnectTcpTests : ProtocolTest
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-03")]
    [Contract("R-TCPC-18")]
    [Contract("R-TCPC-26")]
    public async Task ConnectTcp_ToOurOwnPort_BothSidesTalk(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var server = new TestProtocol { OnData = (p, data) => p.Transport.Write(data) };
        await using IListeningPort port = host.Listen(() => server);
        bool onLoop = false;

        TestProtocol client = await host.Reactor.ConnectTcp((IPEndPoint)port.Host, () =>
        {
            onLoop = host.Loop.IsOnLoopThread;
            return new TestProtocol { OnMade = p => p.Transport.Write("ping"u8) };
        }, host.Options, Cancellation).WithDeadline();

        Assert.True(client.Made.IsCompletedSuccessfully);
        Assert.True(onLoop);
        await client.WaitForBytes(4).WithDeadline();
        Assert.Equal(port.Host, client.Transport.Peer);
        Assert.Equal(server.Transport.Peer, client.Transport.Host);
        await host.On(() => client.Transport.LoseConnection());
        await Task.WhenAll(client.Lost, server.Lost).WithDeadline();
        Assert.Empty(host.Log.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-05")]
    public async Task ConnectTcp_Name_AsksTheInstalledResolverAndTriesItsAddressesInOrder(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var server = new TestProtocol();
        await using IListeningPort port = host.Listen(() => server);
        var answer = (IPEndPoint)port.Host;
        var resolver = new FixedResolver(new IPEndPoint(IPAddress.Loopback, UnusedPort()), answer);
        host.Reactor.InstallResolver(resolver);

        TestProtocol client = await host.Reactor.ConnectTcp(
            "service.example", 4711, () => new TestProtocol(), options: host.Options, cancellationToken: Cancellation).WithDeadline();

        Assert.Equal(("service.example", 4711), resolver.Asked);
        Assert.Equal(answer, client.Transport.Peer);
        await server.Made.WithDeadline();
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task ConnectTcp_NoResolverInstalled_AsksTheSystem(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var server = new TestProtocol();
        await using IListeningPort port = host.Listen(() => server);

        TestProtocol client = await host.Reactor.ConnectTcp(
            "localhost", ((IPEndPoint)port.Host).Port, () => new TestProtocol(), cancellationToken: Cancellation).WithDeadline();

        Assert.True(client.IsConnected);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-14")]
    public async Task ConnectTcp_Refused_FailsWithAddressAndSocketError(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        bool built = false;
        var endPoint = new IPEndPoint(IPAddress.Loopback, UnusedPort());

        ConnectFailedException e = await Assert.ThrowsAsync<ConnectFailedException>(() => host.Reactor.ConnectTcp(endPoint, () =>
        {
            built = true;
            return new TestProtocol();
        }, cancellationToken: Cancellation).WithDeadline());

        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
        Assert.Equal(endPoint, e.EndPoint);
        Assert.False(built);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-04")]
    public async Task ConnectTcp_BuildsNothingOrThrows_FailsAndPeerSeesACleanClose(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(ReactorHost.Loopback());
        listener.Listen();
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => host.Reactor.ConnectTcp<TestProtocol>(endPoint, () => null!, cancellationToken: Cancellation).WithDeadline());
        await Assert.ThrowsAsync<InvalidTimeZoneException>(
            () => host.Reactor.ConnectTcp<TestProtocol>(
                endPoint, () => throw new InvalidTimeZoneException(), cancellationToken: Cancellation).WithDeadline());

        for (int i = 0; i < 2; i++)
        {
            using var peer = new Peer(await listener.AcceptAsync(Cancellation).AsTask().WithDeadline());
            Assert.Empty(await peer.ReadToEndAsync());
        }
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-27")]
    public async Task ConnectTcp_Cancelled_FailsWithTheToken(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        using var cancellation = new CancellationTokenSource();

        // TEST-NET-1 (RFC 5737) is routed nowhere: the attempt hangs, or is refused at once by a machine without any route.
        Task<TestProtocol> connecting = host.Reactor.ConnectTcp(
            new IPEndPoint(IPAddress.Parse("192.0.2.1"), 9), () => new TestProtocol(), cancellationToken: cancellation.Token);
        await cancellation.CancelAsync();

        Exception? e = await Record.ExceptionAsync(() => connecting.WithDeadline());
        Assert.True(e is OperationCanceledException or ConnectFailedException, e?.ToString());
    }

    [Theory, MemberData(nameof(Drivers))]
    public async Task ConnectTcp_AwaitedInAProtocol_ContinuesOnItsLoop(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        await using IListeningPort backend = host.Listen(() => new TestProtocol { OnMade = p => p.Transport.Write("from behind"u8) });
        var relay = new Relay((IPEndPoint)backend.Host);
        await using IListeningPort front = host.Listen(() => relay);
        using Peer peer = await Peer.ConnectAsync(front);

        Assert.Equal("from behind"u8.ToArray(), await peer.ReadAsync(11));
        Assert.True(await relay.ContinuedOnLoop.WithDeadline());
        Assert.Empty(host.Log.Errors);
    }

    private static int UnusedPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(ReactorHost.Loopback());
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private sealed class Relay(IPEndPoint backend) : Protocol
    {
        private readonly TaskCompletionSource<bool> _continued = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<bool> ContinuedOnLoop => _continued.Task;

        public override void ConnectionMade() => _ = ConnectAsync();

        private async Task ConnectAsync()
        {
            await Transport.Reactor.ConnectTcp(backend, () => new TestProtocol { OnData = (_, data) => Transport.Write(data) });
            _continued.SetResult(Transport.Loop.IsOnLoopThread);
        }
    }

    private sealed class FixedResolver(params IPEndPoint[] answers) : INameResolver
    {
        internal (string Host, int Port) Asked { get; private set; }

        public ValueTask<NameResolution> ResolveAsync(
            string host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
        {
            Asked = (host, port);
            return new(new NameResolution(answers, NameResolutionSource.Hosts));
        }
    }
}
