using System.Net;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Who sees which address, in both families.</summary>
public sealed class AddressTests : ProtocolContract
{
    [Theory, ReactorStacks("127.0.0.1", "::1")]
    [Contract("R-TCPP-08"), Contract("R-TCPP-09"), Contract("R-TCPP-10"), Contract("R-CONN-15"), Contract("R-TCPC-18")]
    public async Task ListenAndConnect_EverybodySeesTheSameLiterals(ReactorStack stack, string address)
    {
        Listener(address).Dispose(); // skips where there is no such address
        ReactorThread thread = StartReactor(stack);
        EndPoint? seenByServer = null;
        bool onReactor = false;
        var server = new TestProtocol();
        var serverFactory = ProtocolFactory.Create(from =>
        {
            seenByServer = from;
            onReactor = thread.Reactor.IsInReactorThread;
            return server;
        });
        await using IListeningPort port = thread.Reactor.ListenTcp(new IPEndPoint(IPAddress.Parse(address), 0), serverFactory, Options);
        var bound = (IPEndPoint)port.Host;
        var factory = new RecordingFactory();
        await thread.Do(() => thread.Reactor.ConnectTcp(bound, factory, new ConnectorOptions { Transport = Options }));
        await factory.Built.WithDeadline();
        await factory.Protocol!.Made.WithDeadline();
        await server.Made.WithDeadline();

        ITransport client = factory.Protocol.Transport;
        Assert.Equal(IPAddress.Parse(address), bound.Address);
        Assert.NotEqual(0, bound.Port);
        Assert.Equal(bound, factory.Peer);
        Assert.Equal(bound, client.Peer);
        Assert.Equal(bound, server.Transport.Host);
        Assert.Equal(client.Host, server.Transport.Peer);
        Assert.Equal(client.Host, seenByServer);
        Assert.Equal(IPAddress.Parse(address), ((IPEndPoint)client.Host!).Address);
        Assert.True(onReactor);
        Assert.Same(thread.Reactor, server.Transport.Reactor);
        Assert.Same(thread.Reactor, client.Reactor);
        Assert.NotEqual(client.ConnectionId, server.Transport.ConnectionId);
    }

    [Theory, ReactorStacks("127.0.0.1", "::1")]
    [Contract("R-TCPP-12"), Contract("R-CONN-15")]
    public async Task AdoptStreamConnection_ProtocolOnADuplicate(ReactorStack stack, string address)
    {
        ReactorThread thread = StartReactor(stack);
        using Socket listener = Listener(address);
        AddressFamily family = listener.AddressFamily;
        using var peer = new Peer(new Socket(family, SocketType.Stream, ProtocolType.Tcp));
        await peer.Socket.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken).AsTask().WithDeadline();
        Socket accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask().WithDeadline();
        EndPoint? seen = null;
        var protocol = new TestProtocol { OnMade = p => p.Transport.WriteSequence([("hel"u8.ToArray()), ("lo"u8.ToArray())]) };
        thread.Reactor.AdoptStreamConnection(accepted.SafeHandle, family, ProtocolFactory.Create(from =>
        {
            seen = from;
            return protocol;
        }), Options);
        accepted.Dispose();

        Assert.Equal("hello"u8.ToArray(), await peer.ReadAsync(5));
        Assert.Equal(peer.Socket.LocalEndPoint, seen);
        peer.Dispose();
        await protocol.Lost.WithDeadline();
    }

    private Socket Listener(string address)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), 0);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
        }
        catch (SocketException)
        {
            socket.Dispose();
            Skip($"this machine has no {address}");
        }

        socket.Listen();
        return socket;
    }
}
