using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Sockets;

/// <summary>No address of a host could be connected to. The inner exception is the last attempt's.</summary>
public sealed class ConnectFailedException : IOException
{
    internal ConnectFailedException(EndPoint endPoint, SocketException cause)
        : base($"Could not connect to {endPoint}: {cause.Message}", cause)
    {
        EndPoint = endPoint;
        SocketErrorCode = cause.SocketErrorCode;
    }

    /// <summary>What was tried last.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>What the operating system said.</summary>
    public SocketError SocketErrorCode { get; }
}
