using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Sockets;

/// <summary>Socket errors into the small vocabulary of ASP.NET Core's connections, once, at the edge.</summary>
internal static class ConnectionErrors
{
    internal static Exception FromReceive(SocketError error)
    {
        var cause = new SocketException((int)error);
        return IsReset(error) ? new ConnectionResetException(cause.Message, cause) : cause;
    }

    internal static Exception FromSend(SocketError error) => FromReceive(error);

    /// <summary>Ends that peers bring about every day, by RST or by going away: nothing to log above debug.</summary>
    internal static bool IsReset(SocketError error)
        => error is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted or SocketError.OperationAborted;
}
