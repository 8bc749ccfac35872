namespace LoopBridge.Protocols;

/// <summary>
/// Builds the protocols of a connector, and hears how its attempts and connections end. Descends from Twisted's <c>ClientFactory</c>.
/// </summary>
/// <remarks>
/// <see cref="IProtocolFactory.DoStart"/> comes before a connector's first attempt, <see cref="IProtocolFactory.DoStop"/> after the
/// notification of its end has returned, unless that connected again. Everything is called on the loop of the connection, except the first
/// <see cref="StartedConnecting"/>, which comes from inside the call that makes the connector. An exception is logged and changes nothing
/// else.
/// </remarks>
public interface IClientFactory : IProtocolFactory
{
    /// <summary>An attempt begins. It may be stopped here.</summary>
    void StartedConnecting(IConnector connector)
    {
    }

    /// <summary>The attempt failed. Always in a later turn than it began.</summary>
    /// <param name="connector">May connect again.</param>
    /// <param name="reason">A <see cref="ConnectException"/>; its kind says why.</param>
    void ClientConnectionFailed(IConnector connector, Exception reason)
    {
    }

    /// <summary>The connection is gone; its protocol was told before.</summary>
    /// <param name="connector">May connect again.</param>
    /// <param name="reason">What the protocol was told.</param>
    void ClientConnectionLost(IConnector connector, Exception reason)
    {
    }
}

/// <summary>A client factory to derive from, which counts the connectors that use it.</summary>
public abstract class ClientFactory : ProtocolFactory, IClientFactory
{
    /// <inheritdoc />
    public virtual void StartedConnecting(IConnector connector)
    {
    }

    /// <inheritdoc />
    public virtual void ClientConnectionFailed(IConnector connector, Exception reason)
    {
    }

    /// <inheritdoc />
    public virtual void ClientConnectionLost(IConnector connector, Exception reason)
    {
    }
}
