using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using LoopBridge.Protocols;
using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Addresses that mean something on one interface only.</summary>
public sealed class LinkLocalTests : ProtocolContract
{
    [Theory, ReactorStacks]
    [Contract("R-TCPP-11")]
    public async Task Addresses_LinkLocal_KeepTheirScopeInAllFour(ReactorStack stack)
    {
        IPAddress? address = FindLinkLocal();
        SkipUnless(address is not null, "no interface of this machine has a link-local IPv6 address");
        ReactorThread thread = StartReactor(stack);
        EndPoint? built = null;
        var server = new TestProtocol();
        await using IListeningPort port = thread.Reactor.ListenTcp(
            new IPEndPoint(address!, 0),
            ProtocolFactory.Create(peer =>
            {
                built = peer;
                return server;
            }),
            Options);
        using Peer client = await Peer.ConnectAsync(port);
        await server.Made.WithDeadline();

        Assert.All(
            [port.Host, built, server.Transport.Host, server.Transport.Peer],
            seen =>
            {
                var endPoint = Assert.IsType<IPEndPoint>(seen);
                Assert.Equal(address, endPoint.Address);
                Assert.Equal(address!.ScopeId, endPoint.Address.ScopeId);
                Assert.NotEqual(0, endPoint.Address.ScopeId);
            });
        Assert.Equal(client.Socket.LocalEndPoint, server.Transport.Peer);
        Assert.Equal(client.Socket.RemoteEndPoint, server.Transport.Host);
    }

    private static IPAddress? FindLinkLocal() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(static each => each.OperationalStatus == OperationalStatus.Up)
        .SelectMany(static each => each.GetIPProperties().UnicastAddresses)
        .Select(static each => each.Address)
        .FirstOrDefault(static each => each is { AddressFamily: AddressFamily.InterNetworkV6, IsIPv6LinkLocal: true, ScopeId: not 0 });
}
