using System.Net;
using System.Net.Sockets;
using LoopBridge.Deferreds;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>One client, one Deferred.</summary>
public sealed class ClientCreatorTests : ProtocolTest
{
    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-26")]
    public async Task ConnectTcp_FiresInTheTurnAfterConnectionMade(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        await using IListeningPort port = host.Listen(() => new TestProtocol());
        Deferred<TestProtocol>? connecting = null;
        bool? firedInside = null;
        var client = new TestProtocol { OnMade = _ => firedInside = connecting!.IsFired };
        var fired = new TaskCompletionSource<TestProtocol>(TaskCreationOptions.RunContinuationsAsynchronously);
        await host.On(() =>
        {
            connecting = new ClientCreator<TestProtocol>(host.Reactor, () => client).ConnectTcp((IPEndPoint)port.Host, Logged(host));
            connecting.AddCallback(protocol =>
            {
                fired.SetResult(protocol);
                return protocol;
            });
        });

        Assert.Same(client, await fired.Task.WithDeadline());
        Assert.False(firedInside);
        Assert.Empty(await host.On(host.Reactor.GetDelayedCalls));
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-27")]
    public async Task Cancel_WhileConnecting_StopsTheConnector(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var options = new ConnectorOptions { Resolver = new NeverResolver(), Transport = host.Options };

        Exception? failure = await host.On(() =>
        {
            Deferred<TestProtocol> connecting = new ClientCreator<TestProtocol>(host.Reactor, () => new TestProtocol())
                .ConnectTcp("name.test", 1, options);
            return CancelAndGetFailure(connecting);
        });

        Assert.IsType<DeferredCancelledException>(failure);
        await host.On(() => { });
        Assert.Empty(await host.On(host.Reactor.GetDelayedCalls));
        Assert.Empty(host.Log.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-28")]
    public async Task Cancel_BetweenConnectAndFiring_AbortsAndLeavesNoTimer(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var server = new TestProtocol();
        await using IListeningPort port = host.Listen(() => server);
        Deferred<TestProtocol>? connecting = null;
        Exception? failure = null;
        var client = new TestProtocol { OnMade = _ => failure = CancelAndGetFailure(connecting!) };
        await host.On(() => connecting = new ClientCreator<TestProtocol>(host.Reactor, () => client)
            .ConnectTcp((IPEndPoint)port.Host, Logged(host)));

        Assert.IsType<ConnectionAbortedLocallyException>(await client.Lost.WithDeadline());
        Assert.IsType<DeferredCancelledException>(failure);
        await server.Lost.WithDeadline();
        Assert.Empty(await host.On(host.Reactor.GetDelayedCalls));
        Assert.Empty(host.Log.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-28")]
    public async Task Cancel_BetweenFailureAndFiring_LeavesNoTimer(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var stopped = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await host.On(() =>
        {
            Deferred<TestProtocol>? connecting = null;
            var creator = new ClientCreator<TestProtocol>(host.Reactor, () => new TestProtocol());
            connecting = creator.Connect(factory => host.Reactor.ConnectTcp("name.test", 1, new Spy(factory, () =>
            {
                Exception? failure = CancelAndGetFailure(connecting!);
                stopped.SetResult(host.Reactor.GetDelayedCalls().Count == 0 ? failure : new InvalidOperationException("timer"));
            }), new ConnectorOptions { Resolver = new FailingResolver(), Transport = host.Options }));
        });

        Assert.IsType<DeferredCancelledException>(await stopped.Task.WithDeadline());
        await host.On(() => { });
        Assert.Empty(host.Log.Errors);
    }

    [Theory, MemberData(nameof(Drivers))]
    [Contract("R-TCPC-04")]
    public async Task Build_NullOrThrowing_FailsTheDeferred_PeerSeesACleanClose(LoopDriver driver)
    {
        using var host = new ReactorHost(driver);
        var servers = new System.Collections.Concurrent.ConcurrentQueue<TestProtocol>();
        await using IListeningPort port = host.Listen(() =>
        {
            var server = new TestProtocol();
            servers.Enqueue(server);
            return server;
        });
        var bug = new InvalidTimeZoneException("bug");
        Exception none = await FailureOf(host, () => null!, (IPEndPoint)port.Host);
        Exception thrown = await FailureOf(host, () => throw bug, (IPEndPoint)port.Host);

        Assert.IsType<NoProtocolException>(none);
        Assert.Same(bug, thrown);
        Assert.Equal(2, servers.Count);
        foreach (TestProtocol server in servers)
        {
            Assert.IsType<LoopBridge.Reactors.ConnectionDoneException>(await server.Lost.WithDeadline());
        }

        Assert.Empty(host.Log.Errors);
    }

    private static async Task<Exception> FailureOf(ReactorHost host, Func<TestProtocol> build, IPEndPoint endPoint)
    {
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await host.On(() =>
        {
            new ClientCreator<TestProtocol>(host.Reactor, build).ConnectTcp(endPoint, Logged(host)).AddErrback(e =>
            {
                failed.SetResult(e);
                return new TestProtocol();
            });
        });
        return await failed.Task.WithDeadline();
    }

    private static ConnectorOptions Logged(ReactorHost host) => new() { Transport = host.Options };

    private static Exception? CancelAndGetFailure(Deferred<TestProtocol> connecting)
    {
        Exception? failure = null;
        connecting.AddErrback(e =>
        {
            failure = e;
            return new TestProtocol();
        });
        connecting.Cancel();
        return failure;
    }

    private sealed class Spy(IClientFactory inner, Action failed) : IClientFactory
    {
        public Protocol? BuildProtocol(EndPoint? peer) => inner.BuildProtocol(peer);

        public void ClientConnectionFailed(IConnector connector, Exception reason)
        {
            inner.ClientConnectionFailed(connector, reason);
            failed();
        }
    }

    private sealed class FailingResolver : LoopBridge.Resolvers.INameResolver
    {
        public ValueTask<LoopBridge.Resolvers.NameResolution> ResolveAsync(
            string host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
            => throw new SocketException((int)SocketError.HostNotFound);
    }
}
