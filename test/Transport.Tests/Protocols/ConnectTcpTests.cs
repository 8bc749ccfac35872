using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

public sealed class ConnectTcpTests : ProtocolContract
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, ReactorStacks]
    [Contract("R-TCPC-03"), Contract("R-TCPC-18"), Contract("R-TCPC-26")]
    public async Task ConnectTcp_ToOurOwnPort_BothSidesTalk(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol { OnData = (p, data) => p.Transport.Write(data) };
        await using IListeningPort port = Listen(thread, () => server);
        bool onLoop = false;

        TestProtocol client = await thread.Reactor.ConnectTcp((IPEndPoint)port.Host, () =>
        {
            onLoop = thread.Reactor.IsInReactorThread;
            return new TestProtocol { OnMade = p => p.Transport.Write("ping"u8) };
        }, Options, Cancellation).WithDeadline();

        Assert.True(client.Made.IsCompletedSuccessfully);
        Assert.True(onLoop);
        await client.WaitForBytes(4).WithDeadline();
        Assert.Equal(port.Host, client.Transport.Peer);
        Assert.Equal(server.Transport.Peer, client.Transport.Host);
        await thread.Do(() => client.Transport.LoseConnection());
        await Task.WhenAll(client.Lost, server.Lost).WithDeadline();
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-05")]
    public async Task ConnectTcp_Name_AsksTheInstalledResolverAndTriesItsAddressesInOrder(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        var answer = (IPEndPoint)port.Host;
        var resolver = new FixedResolver(Own(new ReservedPort()).EndPoint, answer);
        thread.Reactor.InstallResolver(resolver);

        TestProtocol client = await thread.Reactor.ConnectTcp(
            "service.example", 4711, () => new TestProtocol(), options: Options, cancellationToken: Cancellation).WithDeadline();

        Assert.Equal(("service.example", 4711), resolver.Asked);
        Assert.Equal(answer, client.Transport.Peer);
        await server.Made.WithDeadline();
    }

    [Theory, ReactorStacks]
    public async Task ConnectTcp_NoResolverInstalled_AsksTheSystem(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);

        TestProtocol client = await thread.Reactor.ConnectTcp(
            "localhost", ((IPEndPoint)port.Host).Port, () => new TestProtocol(), cancellationToken: Cancellation).WithDeadline();

        Assert.True(client.IsConnected);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-14")]
    public async Task ConnectTcp_Refused_FailsWithAddressAndSocketError(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        bool built = false;
        IPEndPoint endPoint = Own(new ReservedPort()).EndPoint;

        ConnectFailedException e = await Assert.ThrowsAsync<ConnectFailedException>(() => thread.Reactor.ConnectTcp(endPoint, () =>
        {
            built = true;
            return new TestProtocol();
        }, cancellationToken: Cancellation).WithDeadline());

        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
        Assert.Equal(endPoint, e.EndPoint);
        Assert.False(built);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-04")]
    public async Task ConnectTcp_BuildsNothingOrThrows_FailsAndPeerSeesACleanClose(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(Loopback());
        listener.Listen();
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => thread.Reactor.ConnectTcp<TestProtocol>(endPoint, () => null!, cancellationToken: Cancellation).WithDeadline());
        await Assert.ThrowsAsync<InvalidTimeZoneException>(
            () => thread.Reactor.ConnectTcp<TestProtocol>(
                endPoint, () => throw new InvalidTimeZoneException(), cancellationToken: Cancellation).WithDeadline());

        for (int i = 0; i < 2; i++)
        {
            using var peer = new Peer(await listener.AcceptAsync(Cancellation).AsTask().WithDeadline());
            Assert.Empty(await peer.ReadToEndAsync());
        }
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-27")]
    public async Task ConnectTcp_Cancelled_FailsWithTheToken(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        using var cancellation = new CancellationTokenSource();

        // TEST-NET-1 (RFC 5737) is routed nowhere: the attempt hangs, or is refused at once by a machine without any route.
        Task<TestProtocol> connecting = thread.Reactor.ConnectTcp(
            new IPEndPoint(IPAddress.Parse("192.0.2.1"), 9), () => new TestProtocol(), cancellationToken: cancellation.Token);
        await cancellation.CancelAsync();

        Exception? e = await Record.ExceptionAsync(() => connecting.WithDeadline());
        Assert.True(e is OperationCanceledException or ConnectFailedException, e?.ToString());
    }

    [Theory, ReactorStacks]
    public async Task ConnectTcp_AwaitedInAProtocol_ContinuesOnItsLoop(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await using IListeningPort backend = Listen(thread, () => new TestProtocol { OnMade = p => p.Transport.Write("from behind"u8) });
        var relay = new Relay((IPEndPoint)backend.Host);
        await using IListeningPort front = Listen(thread, () => relay);
        using Peer peer = await Peer.ConnectAsync(front);

        Assert.Equal("from behind"u8.ToArray(), await peer.ReadAsync(11));
        Assert.True(await relay.ContinuedOnLoop.WithDeadline());
    }

    private sealed class Relay(IPEndPoint backend) : Protocol
    {
        private readonly TaskCompletionSource<bool> _continued = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<bool> ContinuedOnLoop => _continued.Task;

        public override void ConnectionMade() => _ = ConnectAsync();

        private async Task ConnectAsync()
        {
            await Transport.Reactor.ConnectTcp(backend, () => new TestProtocol { OnData = (_, data) => Transport.Write(data) });
            _continued.SetResult(Transport.Reactor.IsInReactorThread);
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
