using System.Net;

namespace LoopBridge.Protocols;

/// <summary>Where a connector stands.</summary>
public enum ConnectorState
{
    /// <summary>There is no connection and no attempt.</summary>
    Disconnected,

    /// <summary>It tries to connect.</summary>
    Connecting,

    /// <summary>There is a connection.</summary>
    Connected,
}

/// <summary>
/// Makes the connections of an <see cref="IClientFactory"/>, one at a time, to one destination. Descends from Twisted's <c>IConnector</c>.
/// Everything belongs to the reactor's thread, or to any one thread while the reactor does not turn.
/// </summary>
public interface IConnector
{
    /// <summary>Where it stands.</summary>
    ConnectorState State { get; }

    /// <summary>What was asked for: an address, a <see cref="DnsEndPoint"/> for a name, or a file.</summary>
    EndPoint Destination { get; }

    /// <summary>
    /// Begins another attempt, usually from <see cref="IClientFactory.ClientConnectionFailed"/> or
    /// <see cref="IClientFactory.ClientConnectionLost"/>; the factory then stays started.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// There is an attempt or a connection, or the factory was not told yet of the end of the one before.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The loop of the reactor is closed.</exception>
    void Connect();

    /// <summary>
    /// Gives the attempt up. <see cref="IClientFactory.ClientConnectionFailed"/> follows in a later turn, with a
    /// <see cref="UserErrorException"/>.
    /// </summary>
    /// <exception cref="NotConnectingException">There is no attempt.</exception>
    void StopConnecting();

    /// <summary>Gives the attempt up, or ends the connection in order. Does nothing if there is neither.</summary>
    void Disconnect();
}
