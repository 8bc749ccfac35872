using System.Net;
using LoopBridge.Loops;
using LoopBridge.Reactors;
using LoopBridge.Resolvers;
using LoopBridge.Streams;

namespace LoopBridge.Protocols;

/// <summary>Connects to an address, or to the first address of a name that answers.</summary>
internal sealed class TcpConnector(
    IReactor reactor,
    IEventLoop loop,
    IClientFactory factory,
    EndPoint destination,
    INameResolver resolver,
    TransportOptions transportOptions,
    ConnectorOptions options)
    : ClientConnector(reactor, loop, factory, destination, options.Timeout, transportOptions)
{
    private readonly EndPoint? _source = options.BindAddress;

    protected override Task<ConnectingSink> OpenAsync(CancellationToken cancellationToken)
    {
        if (Destination is not DnsEndPoint name)
        {
            return StreamAttempt.ConnectAsync(Loop, Destination, _source, cancellationToken);
        }

        var connector = new HostConnector<ConnectingSink>(
            Loop,
            resolver,
            (endPoint, token) => StreamAttempt.ConnectAsync(Loop, endPoint, _source, token),
            static sink => sink.Socket.Close(reason: null, reset: false));
        return connector.ConnectAsync(name.Host, name.Port, cancellationToken);
    }
}
