using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Sockets;

/// <summary>An endpoint could not be listened on. The message names the endpoint and a remedy.</summary>
public sealed class CannotListenException : IOException
{
    internal CannotListenException(EndPoint endPoint, Exception cause) : base(cause.Message, cause)
    {
        EndPoint = endPoint;
        SocketErrorCode = (cause as SocketException ?? cause.InnerException as SocketException)?.SocketErrorCode ?? SocketError.SocketError;
    }

    /// <summary>What the engine throws, for those who call it from outside.</summary>
    internal static CannotListenException From(Exception cause)
    {
        ListenException? inner = cause as ListenException ?? cause.InnerException as ListenException;
        return new CannotListenException(inner!.EndPoint, cause);
    }

    /// <summary>Whether <see cref="From"/> takes it: the endpoint is taken, not ours, or not there.</summary>
    internal static bool Takes(Exception cause) => (cause as ListenException ?? cause.InnerException as ListenException) is not null;

    /// <summary>Where it was to listen.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>What the operating system said.</summary>
    public SocketError SocketErrorCode { get; }
}
