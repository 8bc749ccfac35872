using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Reactors;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Connectors and what their factories hear.</summary>
public sealed class ConnectorTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPC-01"), Contract("R-TCPC-03"), Contract("R-TCPC-07"), Contract("R-TCPC-11"), Contract("R-TCPC-17")]
    [Contract("R-TCPC-18"), Contract("R-TCPC-29")]
    public async Task ConnectTcp_WholeLife_OneConnectorAndTheFactoryHearsLast(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol { OnMade = p => p.Transport.LoseConnection() };
        await using IListeningPort port = Listen(thread, () => server);
        var factory = new RecordingFactory();
        IConnector connector = await thread.Ask(() =>
        {
            IConnector begun = thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, WithLog);
            Assert.Equal(ConnectorState.Connecting, begun.State);
            Assert.Equal($"connecting to {port.Host}", begun.ToString());
            Assert.Equal(["start", "started"], factory.Events);
            return begun;
        });
        Exception reason = await factory.Ended.WithDeadline();
        await thread.Turn();

        Assert.IsType<ConnectionDoneException>(reason);
        Assert.Equal(["start", "started", "build", "protocol lost", "lost", "stop"], factory.Events);
        Assert.All(factory.Connectors, seen => Assert.Same(connector, seen));
        Assert.True(factory.Protocol!.Made.IsCompletedSuccessfully);
        Assert.Same(reason, await factory.Protocol.Lost);
        Assert.Equal(port.Host, connector.Destination);
        Assert.Equal(connector.Destination, factory.Peer);
        Assert.Equal(factory.Peer, factory.Protocol.Transport.Peer);
        Assert.Equal($"disconnected from {port.Host}", connector.ToString());
        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-08"), Contract("R-TCPC-13")]
    public async Task StopConnecting_InStartedConnecting_OneFailureInALaterTurn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var factory = new RecordingFactory { OnStarted = c => c.StopConnecting() };
        await thread.Do(() =>
        {
            IConnector connector = thread.Reactor.ConnectTcp(Silent, factory, WithLog);
            Assert.Equal(["start", "started"], factory.Events);
            Assert.Throws<NotConnectingException>(connector.StopConnecting);
            Assert.Throws<InvalidOperationException>(connector.Connect); // the factory was not told yet
        });

        Assert.IsType<UserErrorException>(await factory.Ended.WithDeadline());
        await thread.Turn();
        Assert.Equal(["start", "started", "failed", "stop"], factory.Events);
        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-09"), Contract("R-TCPC-11"), Contract("R-TCPC-14")]
    public async Task Connect_FromClientConnectionLost_FactoryStaysStarted_RefusedHasBothNumbers(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        IListeningPort port = Listen(thread, () => server);
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        var factory = new RecordingFactory { OnLost = (c, _) => c.Connect(), OnFailed = (_, e) => failed.SetResult(e) };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, WithLog));
        await server.Made.WithDeadline();
        await port.StopListeningAsync().WithDeadline();
        await thread.Do(() => server.Transport.LoseConnection());

        var refused = Assert.IsType<ConnectionRefusedException>(await failed.Task.WithDeadline());
        await thread.Turn();
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(111, refused.ErrorNumber); // ECONNREFUSED, errno(3)
        }

        Assert.Equal(["start", "started", "build", "protocol lost", "lost", "started", "failed", "stop"], factory.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-10")]
    public async Task Connector_InEachState_RefusesWhatDoesNotFit(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        var factory = new RecordingFactory();
        IConnector connector = await thread.Ask(() =>
        {
            IConnector begun = thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, WithLog);
            Assert.Throws<InvalidOperationException>(begun.Connect);
            return begun;
        });
        await factory.Built.WithDeadline();
        await factory.Protocol!.Made.WithDeadline();
        await thread.Do(() =>
        {
            Assert.Equal(ConnectorState.Connected, connector.State);
            Assert.Equal($"connected to {port.Host}", connector.ToString());
            Assert.Throws<InvalidOperationException>(connector.Connect);
            Assert.Throws<NotConnectingException>(connector.StopConnecting);
            connector.Disconnect();
        });
        Assert.IsType<ConnectionDoneException>(await factory.Ended.WithDeadline());
        await thread.Do(() =>
        {
            connector.Disconnect();
            Assert.Throws<NotConnectingException>(connector.StopConnecting);
            Assert.Equal(ConnectorState.Disconnected, connector.State);
        });

        var second = new RecordingFactory();
        await thread.Do(() => thread.Reactor.ConnectTcp(Silent, second, WithLog).Disconnect());
        Assert.IsType<UserErrorException>(await second.Ended.WithDeadline());
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-12")]
    public async Task Timeout_NoAnswer_FailsWithATimeoutThatIsAUserError_NoTimerStays(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var factory = new RecordingFactory();
        var options = new ConnectorOptions
        {
            Timeout = TimeSpan.FromMilliseconds(20),
            Resolver = new NeverResolver(),
            Transport = Options,
        };
        await thread.Do(() => thread.Reactor.ConnectTcp("name.test", 1, factory, options));

        Exception reason = await factory.Ended.WithDeadline();
        Assert.IsType<ConnectTimeoutException>(reason);
        Assert.IsAssignableFrom<UserErrorException>(reason);
        Assert.IsAssignableFrom<ConnectException>(reason);
        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));
        Assert.Equal(TimeSpan.FromSeconds(30), new ConnectorOptions().Timeout);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConnectorOptions { Timeout = TimeSpan.Zero });
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-15"), Contract("R-TCPC-13")]
    public async Task BindAddress_Taken_FailsInALaterTurn(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await using IListeningPort port = Listen(thread, () => new TestProtocol());
        var factory = new RecordingFactory();
        ConnectorOptions options = WithLog;
        options.BindAddress = (IPEndPoint)port.Host;
        await thread.Do(() =>
        {
            thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, options);
            Assert.Equal(["start", "started"], factory.Events);
        });

        var failure = Assert.IsType<ConnectBindException>(await factory.Ended.WithDeadline());
        Assert.Equal(port.Host, failure.EndPoint);
        Assert.Equal(SocketError.AddressAlreadyInUse, failure.SocketErrorCode);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-05")]
    public async Task BindAddress_Honoured_AddressesAreLiteralOnBothEnds(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        var factory = new RecordingFactory();
        ConnectorOptions options = WithLog;
        options.BindAddress = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0);
        if (!OperatingSystem.IsLinux())
        {
            options.BindAddress = new IPEndPoint(IPAddress.Loopback, 0); // elsewhere only 127.0.0.1 is there
        }

        await thread.Do(() => thread.Reactor.ConnectTcp("localhost", ((IPEndPoint)port.Host).Port, factory, options));
        await factory.Built.WithDeadline();
        await server.Made.WithDeadline();
        await factory.Protocol!.Made.WithDeadline();

        ITransport client = factory.Protocol.Transport;
        Assert.Equal(options.BindAddress.Address, ((IPEndPoint)client.Host!).Address);
        Assert.Equal(server.Transport.Peer, client.Host);
        Assert.Equal(server.Transport.Host, client.Peer);
        Assert.Equal(new DnsEndPoint("localhost", ((IPEndPoint)port.Host).Port), factory.Connectors[0].Destination);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-04")]
    public async Task BuildProtocol_Null_OrderlyClose_AndClientConnectionLost(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        var factory = new RecordingFactory { OnBuild = () => null };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, WithLog));

        Assert.IsType<ConnectionDoneException>(await factory.Ended.WithDeadline());
        Assert.IsType<ConnectionDoneException>(await server.Lost.WithDeadline());
        await thread.Turn();
        Assert.Equal(["start", "started", "build", "lost", "stop"], factory.Events);
    }

    [Theory, ReactorStacks]
    [Contract("R-INV-02")]
    public async Task Factory_ThrowsInEachCallback_LoggedOnceEach(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await using IListeningPort port = Listen(thread, () => new TestProtocol());
        var bug = new InvalidTimeZoneException("build");
        var another = new InvalidTimeZoneException("lost");
        var factory = new RecordingFactory { OnBuild = () => throw bug, OnLost = (_, _) => throw another };
        await thread.Do(() => thread.Reactor.ConnectTcp((IPEndPoint)port.Host, factory, WithLog));

        Assert.Same(bug, await factory.Ended.WithDeadline());
        await thread.Turn();
        Assert.Equal([bug, another], TakeErrors());
        Assert.Equal("stop", factory.Events[^1]);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-14")]
    public async Task UnknownHost_HasItsKind(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var factory = new RecordingFactory();
        await thread.Do(() => thread.Reactor.ConnectTcp("no-such-host.invalid", 1, factory, WithLog));

        Assert.IsType<UnknownHostException>(await factory.Ended.WithDeadline());
    }

    [Theory]
    [InlineData(SocketError.ConnectionRefused, typeof(ConnectionRefusedException))]
    [InlineData(SocketError.HostUnreachable, typeof(NoRouteException))]
    [InlineData(SocketError.NetworkUnreachable, typeof(NoRouteException))]
    [InlineData(SocketError.TimedOut, typeof(TcpTimedOutException))]
    [InlineData(SocketError.HostNotFound, typeof(UnknownHostException))]
    [InlineData(SocketError.AccessDenied, typeof(ConnectException))]
    [Contract("R-TCPC-14")]
    public void ConnectErrors_EachSocketError_HasItsKindAndBothNumbers(SocketError error, Type kind)
    {
        var cause = new SocketException((int)error);
        ConnectException mapped = ConnectErrors.From(cause, "there");

        Assert.IsType(kind, mapped);
        Assert.Equal(error, mapped.SocketErrorCode);
        Assert.Equal(cause.NativeErrorCode, mapped.ErrorNumber);
        Assert.Contains("there", mapped.Message, StringComparison.Ordinal);
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-01"), Contract("R-TCPC-02")]
    public async Task ClientConnectionFailed_StopsTheReactor_RunEnds(ReactorStack stack)
    {
        IReactor reactor = NewReactor(stack);
        var factory = new RecordingFactory { OnFailed = (_, _) => reactor.Stop() };
        IConnector connector = reactor.ConnectTcp(Own(new ReservedPort()).EndPoint, factory, WithLog); // before it runs (R-TCPC-01)
        Assert.Equal(ConnectorState.Connecting, connector.State);

        await Run(reactor).Ended;

        Assert.IsType<ConnectionRefusedException>(await factory.Ended.WithDeadline());
    }

    // TEST-NET-1 (RFC 5737) is routed nowhere.
    private static IPEndPoint Silent => new(IPAddress.Parse("192.0.2.1"), 9);

    private ConnectorOptions WithLog => new() { Transport = Options };
}
