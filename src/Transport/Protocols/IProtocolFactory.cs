using System.Net;

namespace LoopBridge.Protocols;

/// <summary>Builds the protocol of each connection. Descends from Twisted's <c>IProtocolFactory</c>.</summary>
public interface IProtocolFactory
{
    /// <summary>
    /// Builds a new protocol for a connection. On the connection's loop. An exception is logged and closes that connection only.
    /// </summary>
    /// <param name="peer">Who connects, where that is known.</param>
    /// <returns>Null to refuse: the connection is closed.</returns>
    Protocol? BuildProtocol(EndPoint? peer);

    /// <summary>A listener begins to use the factory. Called once for each.</summary>
    void DoStart()
    {
    }

    /// <summary>A listener is closed and does not use the factory any more. Called once for each <see cref="DoStart"/>.</summary>
    void DoStop()
    {
    }
}
