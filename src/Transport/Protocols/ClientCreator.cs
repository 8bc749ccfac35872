using System.Net;
using LoopBridge.Deferreds;
using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <summary>
/// Connects one protocol at a time and gives it as a <see cref="Deferred{T}"/>: for clients that need no factory. Descends from Twisted's
/// <c>ClientCreator</c>. Reactor thread.
/// </summary>
/// <remarks>
/// The Deferred fires in the turn after <see cref="Protocol.ConnectionMade"/>, or after the failure, which is a
/// <see cref="ConnectException"/>. To cancel it until then ends the attempt, or aborts the connection that was made.
/// </remarks>
/// <typeparam name="TProtocol">The protocol.</typeparam>
public sealed class ClientCreator<TProtocol>
    where TProtocol : Protocol
{
    private readonly IReactor _reactor;
    private readonly Func<TProtocol> _build;

    /// <summary>A creator of clients.</summary>
    /// <param name="reactor">Where they live.</param>
    /// <param name="build">Builds a new protocol for each connection, on the reactor's thread. What it throws fails the Deferred.</param>
    public ClientCreator(IReactor reactor, Func<TProtocol> build)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(build);
        _reactor = reactor;
        _build = build;
    }

    /// <summary>Connects to a host.</summary>
    /// <param name="host">A name or an address.</param>
    /// <param name="port">The port.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public Deferred<TProtocol> ConnectTcp(string host, int port, ConnectorOptions? options = null)
        => Connect(factory => _reactor.ConnectTcp(host, port, factory, options));

    /// <summary>Connects to an address.</summary>
    /// <param name="endPoint">The address.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    public Deferred<TProtocol> ConnectTcp(IPEndPoint endPoint, ConnectorOptions? options = null)
        => Connect(factory => _reactor.ConnectTcp(endPoint, factory, options));

    /// <summary>Connects by any connector.</summary>
    internal Deferred<TProtocol> Connect(Func<IClientFactory, IConnector> connect)
    {
        var once = new Once(_reactor, _build);
        once.Connector = connect(once);
        return once.Result;
    }

    private sealed class Once : ClientFactory
    {
        private readonly IReactor _reactor;
        private readonly Func<TProtocol> _build;
        private TProtocol? _protocol;
        private Exception? _failure;
        private IDelayedCall? _firing;

        internal Once(IReactor reactor, Func<TProtocol> build)
        {
            _reactor = reactor;
            _build = build;
            Result = new Deferred<TProtocol>(_ => Cancel());
        }

        internal Deferred<TProtocol> Result { get; }

        internal IConnector? Connector { get; set; }

        public override Protocol? BuildProtocol(EndPoint? peer)
        {
            try
            {
                _protocol = _build();
                _failure = _protocol is null ? new NoProtocolException($"No protocol was built for the connection to {peer}.") : null;
            }
            catch (Exception e)
            {
                _failure = e; // user code; whoever waits for the protocol hears of it
            }

            FireLater();
            return _protocol;
        }

        public override void ClientConnectionFailed(IConnector connector, Exception reason)
        {
            if (!Result.IsFired)
            {
                _failure = reason;
                FireLater();
            }
        }

        private void FireLater() => _firing = _reactor.CallLater(TimeSpan.Zero, Fire);

        private void Fire()
        {
            _firing = null;
            if (_failure is null)
            {
                Result.Callback(_protocol!);
            }
            else
            {
                Result.Errback(_failure);
            }
        }

        // R-TCPC-27, 28. The Deferred fails with its own exception when this returns.
        private void Cancel()
        {
            if (_firing is { Active: true })
            {
                _firing.Cancel();
            }

            _firing = null;
            if (_protocol is { IsUsed: true } connected)
            {
                connected.Transport.AbortConnection();
            }
            else
            {
                Connector?.Disconnect();
            }
        }
    }
}
