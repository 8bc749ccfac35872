using System.Net.Sockets;
using LoopBridge.Resolvers;
using LoopBridge.Sockets;

namespace LoopBridge.Protocols;

/// <summary>What engine, resolver and system say about a failed attempt, in the words that factories know (R-TCPC-14).</summary>
internal static class ConnectErrors
{
    internal static ConnectException From(Exception error, object destination)
    {
        // Several addresses were tried: the last one's failure speaks for all, as the reference, which tries one, would have it.
        Exception cause = error is ConnectFailedException { InnerException: { } last } ? last : error;
        string message = error is ConnectFailedException ? error.Message : $"Could not connect to {destination}: {cause.Message}";
        return cause switch
        {
            ConnectException ready => ready,
            NameResolutionException => new UnknownHostException(message, cause),
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => new ConnectionRefusedException(message, cause),
            SocketException { SocketErrorCode: SocketError.HostUnreachable or SocketError.NetworkUnreachable }
                => new NoRouteException(message, cause),
            SocketException { SocketErrorCode: SocketError.TimedOut } => new TcpTimedOutException(message, cause),
            SocketException { SocketErrorCode: SocketError.HostNotFound } => new UnknownHostException(message, cause),
            _ => new ConnectException(message, cause),
        };
    }
}
