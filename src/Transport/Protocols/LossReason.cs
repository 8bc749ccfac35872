using System.Net.Sockets;
using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <summary>What the socket engine and others say at the end of a connection, in the words that protocols know (R-CONN-27).</summary>
internal static class LossReason
{
    internal static Exception From(Exception? reason) => reason switch
    {
        null => new ConnectionDoneException(),
        ConnectionClosedException closed => closed,
        SocketException error => new ConnectionLostException($"The connection was lost: {error.Message}", error),

        // The engine's ConnectionResetException; what went wrong stands in the one inside it.
        { InnerException: SocketException error } => new ConnectionLostException(reason.Message, error),
        _ => new ConnectionLostException(reason.Message, reason),
    };
}
