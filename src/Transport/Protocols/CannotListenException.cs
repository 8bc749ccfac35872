using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Protocols;

/// <summary>An endpoint could not be listened on. The message names the endpoint and a remedy.</summary>
public sealed class CannotListenException : IOException
{
    internal CannotListenException(EndPoint endPoint, Exception cause) : base(cause.Message, cause)
    {
        EndPoint = endPoint;
        SocketErrorCode = (cause as SocketException ?? cause.InnerException as SocketException)?.SocketErrorCode ?? SocketError.SocketError;
    }

    /// <summary>Where it was to listen.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>What the operating system said.</summary>
    public SocketError SocketErrorCode { get; }
}
