using System.Net;
using System.Net.Sockets;
using LoopBridge.Deferreds;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>One client, one Deferred.</summary>
public sealed class ClientCreatorTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPC-26")]
    public async Task ConnectTcp_FiresInTheTurnAfterConnectionMade(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        await using IListeningPort port = Listen(thread, () => new TestProtocol());
        Deferred<TestProtocol>? connecting = null;
        bool? firedInside = null;
        var client = new TestProtocol { OnMade = _ => firedInside = connecting!.IsFired };
        var fired = new TaskCompletionSource<TestProtocol>(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() =>
        {
            connecting = new ClientCreator<TestProtocol>(thread.Reactor, () => client).ConnectTcp((IPEndPoint)port.Host, Connecting);
            connecting.AddCallback(protocol =>
            {
                fired.SetResult(protocol);
                return protocol;
            });
        });

        Assert.Same(client, await fired.Task.WithDeadline());
        Assert.False(firedInside);
        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-27")]
    public async Task Cancel_WhileConnecting_StopsTheConnector(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var options = new ConnectorOptions { Resolver = new NeverResolver(), Transport = Options };

        Exception? failure = await thread.Ask(() =>
        {
            Deferred<TestProtocol> connecting = new ClientCreator<TestProtocol>(thread.Reactor, () => new TestProtocol())
                .ConnectTcp("name.test", 1, options);
            return CancelAndGetFailure(connecting);
        });

        Assert.IsType<DeferredCancelledException>(failure);
        await thread.Turn();
        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-28")]
    public async Task Cancel_BetweenConnectAndFiring_AbortsAndLeavesNoTimer(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var server = new TestProtocol();
        await using IListeningPort port = Listen(thread, () => server);
        Deferred<TestProtocol>? connecting = null;
        Exception? failure = null;
        var client = new TestProtocol { OnMade = _ => failure = CancelAndGetFailure(connecting!) };
        await thread.Do(() => connecting = new ClientCreator<TestProtocol>(thread.Reactor, () => client)
            .ConnectTcp((IPEndPoint)port.Host, Connecting));

        Assert.IsType<ConnectionAbortedLocallyException>(await client.Lost.WithDeadline());
        Assert.IsType<DeferredCancelledException>(failure);
        await server.Lost.WithDeadline();
        Assert.Empty(await thread.Ask(thread.Reactor.GetDelayedCalls));
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-28")]
    public async Task Cancel_BetweenFailureAndFiring_LeavesNoTimer(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var stopped = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() =>
        {
            Deferred<TestProtocol>? connecting = null;
            var creator = new ClientCreator<TestProtocol>(thread.Reactor, () => new TestProtocol());
            connecting = creator.Connect(factory => thread.Reactor.ConnectTcp("name.test", 1, new Spy(factory, () =>
            {
                Exception? failure = CancelAndGetFailure(connecting!);
                stopped.SetResult(thread.Reactor.GetDelayedCalls().Count == 0 ? failure : new InvalidOperationException("timer"));
            }), new ConnectorOptions { Resolver = new FailingResolver(), Transport = Options }));
        });

        Assert.IsType<DeferredCancelledException>(await stopped.Task.WithDeadline());
        await thread.Turn();
    }

    [Theory, ReactorStacks]
    [Contract("R-TCPC-04")]
    public async Task Build_NullOrThrowing_FailsTheDeferred_PeerSeesACleanClose(ReactorStack stack)
    {
        ReactorThread thread = StartReactor(stack);
        var servers = new System.Collections.Concurrent.ConcurrentQueue<TestProtocol>();
        await using IListeningPort port = Listen(thread, () =>
        {
            var server = new TestProtocol();
            servers.Enqueue(server);
            return server;
        });
        var bug = new InvalidTimeZoneException("bug");
        Exception none = await FailureOf(thread, () => null!, (IPEndPoint)port.Host);
        Exception thrown = await FailureOf(thread, () => throw bug, (IPEndPoint)port.Host);

        Assert.IsType<NoProtocolException>(none);
        Assert.Same(bug, thrown);
        Assert.Equal(2, servers.Count);
        foreach (TestProtocol server in servers)
        {
            Assert.IsType<LoopBridge.Reactors.ConnectionDoneException>(await server.Lost.WithDeadline());
        }
    }

    private async Task<Exception> FailureOf(ReactorThread thread, Func<TestProtocol> build, IPEndPoint endPoint)
    {
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await thread.Do(() =>
        {
            new ClientCreator<TestProtocol>(thread.Reactor, build).ConnectTcp(endPoint, Connecting).AddErrback(e =>
            {
                failed.SetResult(e);
                return new TestProtocol();
            });
        });
        return await failed.Task.WithDeadline();
    }

    private ConnectorOptions Connecting => new() { Transport = Options };

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
