using System.Net;
using LoopBridge.Reactors;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>TCP for protocols. Descends from Twisted's <c>IReactorTCP</c>. Every member may be used from any thread.</summary>
public static class TcpReactorExtensions
{
    /// <summary>Listens on a port of all IPv4 addresses and gives each connection a protocol on this reactor.</summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="port">The port; zero lets the system choose, see <see cref="IListeningPort.Host"/>.</param>
    /// <param name="factory">Builds the protocols.</param>
    /// <param name="options">Settings of the connections. Defaults to those of the reactor.</param>
    /// <param name="backlog">How many connections may wait to be accepted. Defaults to 512, as Kestrel's.</param>
    /// <returns>The port, which listens already.</returns>
    /// <exception cref="CannotListenException">The port is taken, or not allowed.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public static IListeningPort ListenTcp(
        this IReactor reactor,
        int port,
        IProtocolFactory factory,
        TransportOptions? options = null,
        int backlog = ListenSettings.DefaultBacklog)
        => reactor.ListenTcp(new IPEndPoint(IPAddress.Any, port), factory, options, backlog);

    /// <inheritdoc cref="ListenTcp(IReactor, int, IProtocolFactory, TransportOptions?, int)"/>
    /// <summary>Listens on an address and gives each connection a protocol on this reactor.</summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="endPoint">The address and port; <see cref="IPAddress.IPv6Any"/> means both families.</param>
    /// <param name="factory">Builds the protocols.</param>
    /// <param name="options">Settings of the connections. Defaults to those of the reactor.</param>
    /// <param name="backlog">How many connections may wait to be accepted. Defaults to 512, as Kestrel's.</param>
    public static IListeningPort ListenTcp(
        this IReactor reactor,
        IPEndPoint endPoint,
        IProtocolFactory factory,
        TransportOptions? options = null,
        int backlog = ListenSettings.DefaultBacklog)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(backlog);
        return ListeningPort.Open(reactor, endPoint, factory, options ?? ReactorNetwork.Of(reactor).Options, backlog);
    }

    /// <summary>
    /// Connects to the first address of a host that answers, and gives the connection a protocol on this reactor. The other family is tried
    /// beside the first one's when an attempt fails, or after 0.3 s ("Happy Eyeballs", RFC 6555).
    /// </summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">The port.</param>
    /// <param name="build">Builds the protocol, on the loop, when there is a connection.</param>
    /// <param name="resolver">Defaults to the one that <see cref="InstallResolver"/> gave to the reactor.</param>
    /// <param name="options">Settings of the connection. Defaults to those of the reactor.</param>
    /// <param name="cancellationToken">Ends the attempt; after the connection is made it does nothing.</param>
    /// <returns>The protocol, after its <see cref="Protocol.ConnectionMade"/> has returned.</returns>
    /// <exception cref="NameResolutionException">The host has no address.</exception>
    /// <exception cref="ConnectFailedException">None of its addresses answered.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public static Task<TProtocol> ConnectTcp<TProtocol>(
        this IReactor reactor,
        string host,
        int port,
        Func<TProtocol> build,
        INameResolver? resolver = null,
        TransportOptions? options = null,
        CancellationToken cancellationToken = default)
        where TProtocol : Protocol
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(build);
        ReactorNetwork network = ReactorNetwork.Of(reactor);
        return TcpConnect.ConnectAsync(
            reactor, host, port, build, resolver ?? network.Resolver, options ?? network.Options, cancellationToken);
    }

    /// <summary>Connects to an address, and gives the connection a protocol on this reactor.</summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="endPoint">The address.</param>
    /// <param name="build">Builds the protocol, on the loop, when there is a connection.</param>
    /// <param name="options">Settings of the connection. Defaults to those of the reactor.</param>
    /// <param name="cancellationToken">Ends the attempt; after the connection is made it does nothing.</param>
    /// <returns>The protocol, after its <see cref="Protocol.ConnectionMade"/> has returned.</returns>
    /// <exception cref="ConnectFailedException">It did not answer.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public static Task<TProtocol> ConnectTcp<TProtocol>(
        this IReactor reactor,
        IPEndPoint endPoint,
        Func<TProtocol> build,
        TransportOptions? options = null,
        CancellationToken cancellationToken = default)
        where TProtocol : Protocol
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(build);
        return TcpConnect.ConnectAsync(
            reactor, endPoint, build, options ?? ReactorNetwork.Of(reactor).Options, cancellationToken);
    }

    /// <summary>
    /// Begins to connect a factory to a host, at the first address that answers; a name's are tried as for the form with a task. Descends
    /// from Twisted's <c>connectTCP</c>. Reactor thread, or any one thread while the reactor does not turn.
    /// </summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">The port.</param>
    /// <param name="factory">Builds the protocols, and hears of each end.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <returns>
    /// The connector, at once, also if the reactor does not run yet. All failures come to the factory, in a later turn.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The port is none.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public static IConnector ConnectTcp(
        this IReactor reactor, string host, int port, IClientFactory factory, ConnectorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);

        // An address as everybody writes it is its own destination; other spellings are the resolver's to read.
        bool isAddress = IPAddress.TryParse(host, out IPAddress? address) && address.ToString() == host;
        return Connect(reactor, isAddress ? new IPEndPoint(address!, port) : new DnsEndPoint(host, port), factory, options);
    }

    /// <summary>
    /// As <see cref="ConnectTcp(IReactor, string, int, IClientFactory, ConnectorOptions?)"/>, with the name of a service for the port, such
    /// as <c>http</c>. It is looked up within the call, in the system's file of services (on Unix <c>/etc/services</c>).
    /// </summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="host">A name or an address.</param>
    /// <param name="service">The name of a TCP service, or an alias of it; not a number.</param>
    /// <param name="factory">Builds the protocols, and hears of each end.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <returns>The connector, whose destination has the port's number.</returns>
    /// <exception cref="ServiceNameUnknownException">There is no such service. Nothing was begun.</exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public static IConnector ConnectTcp(
        this IReactor reactor, string host, string service, IClientFactory factory, ConnectorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(service);
        return reactor.ConnectTcp(host, ServiceNames.TcpPortOf(service), factory, options);
    }

    /// <inheritdoc cref="ConnectTcp(IReactor, string, int, IClientFactory, ConnectorOptions?)"/>
    /// <summary>Begins to connect a factory to an address. Reactor thread, or any one thread while the reactor does not turn.</summary>
    /// <param name="reactor">The reactor, from <see cref="Bridge.ReactorExtensions.GetReactor"/>.</param>
    /// <param name="endPoint">The address.</param>
    /// <param name="factory">Builds the protocols, and hears of each end.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    public static IConnector ConnectTcp(
        this IReactor reactor, IPEndPoint endPoint, IClientFactory factory, ConnectorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return Connect(reactor, endPoint, factory, options);
    }

    /// <summary>
    /// Gives the reactor the resolver for the names it connects to. Without one it asks the operating system, on threads. Descends from
    /// Twisted's <c>installResolver</c>.
    /// </summary>
    public static void InstallResolver(this IReactor reactor, INameResolver resolver)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(resolver);
        ReactorNetwork.Of(reactor).Resolver = resolver;
    }

    /// <summary>Gives the reactor the settings for connections that bring none.</summary>
    public static void InstallTransportOptions(this IReactor reactor, TransportOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(options);
        ReactorNetwork.Of(reactor).Options = options;
    }

    private static TcpConnector Connect(IReactor reactor, EndPoint destination, IClientFactory factory, ConnectorOptions? options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(factory);
        options ??= new ConnectorOptions();
        ReactorNetwork network = ReactorNetwork.Of(reactor);
        var connector = new TcpConnector(
            reactor,
            ReactorNetwork.LoopOf(reactor),
            factory,
            destination,
            options.Resolver ?? network.Resolver,
            options.Transport ?? network.Options,
            options);
        connector.Connect();
        return connector;
    }
}
