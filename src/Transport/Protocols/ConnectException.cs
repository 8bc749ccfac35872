using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Protocols;

/// <summary>
/// A connector did not connect. Its kinds say why; an error of the system that has no kind of its own is this. Descends from Twisted's
/// <c>ConnectError</c>.
/// </summary>
public class ConnectException : IOException
{
    /// <summary>It failed for this reason.</summary>
    public ConnectException(string message, Exception? innerException = null) : base(message, innerException)
    {
        if (innerException is SocketException error)
        {
            SocketErrorCode = error.SocketErrorCode;
            ErrorNumber = error.NativeErrorCode;
        }
    }

    /// <summary>What the system said, in .NET's terms; null if it was not the system that failed.</summary>
    public SocketError? SocketErrorCode { get; }

    /// <summary>
    /// What the system said, in its own numbers (errno, on Windows that of Winsock), as Twisted's <c>osError</c>; null if it was not the
    /// system that failed.
    /// </summary>
    public int? ErrorNumber { get; }
}

/// <summary>Nobody listens there. Descends from Twisted's <c>ConnectionRefusedError</c>.</summary>
public sealed class ConnectionRefusedException(string message, Exception? innerException = null)
    : ConnectException(message, innerException);

/// <summary>There is no way to that host or network. Descends from Twisted's <c>NoRouteError</c>.</summary>
public sealed class NoRouteException(string message, Exception? innerException = null) : ConnectException(message, innerException);

/// <summary>
/// The system gave up waiting for an answer, which takes it minutes. Descends from Twisted's <c>TCPTimedOutError</c>.
/// </summary>
public sealed class TcpTimedOutException(string message, Exception? innerException = null) : ConnectException(message, innerException);

/// <summary>The host has no address. Descends from Twisted's <c>UnknownHostError</c>.</summary>
public sealed class UnknownHostException(string message, Exception? innerException = null) : ConnectException(message, innerException);

/// <summary>The local address that was asked for cannot be had. Descends from Twisted's <c>ConnectBindError</c>.</summary>
public sealed class ConnectBindException : ConnectException
{
    internal ConnectBindException(EndPoint endPoint, SocketException cause)
        : base($"Could not connect from {endPoint}: {cause.Message}. Choose another local address, or port 0 for any.", cause)
        => EndPoint = endPoint;

    /// <summary>The local address.</summary>
    public EndPoint EndPoint { get; }
}

/// <summary>
/// This side gave the attempt up: <see cref="IConnector.StopConnecting"/>, or a timeout. Descends from Twisted's <c>UserError</c>.
/// </summary>
public class UserErrorException(string message) : ConnectException(message);

/// <summary>There was no connection within the connector's time. Descends from Twisted's <c>TimeoutError</c>.</summary>
public sealed class ConnectTimeoutException(string message) : UserErrorException(message);

/// <summary>There is a connection, but its factory built no protocol for it. Descends from Twisted's <c>NoProtocol</c>.</summary>
public sealed class NoProtocolException(string message) : ConnectException(message);

/// <summary>
/// A connector was to stop an attempt that it does not make. Descends from Twisted's <c>NotConnectingError</c>.
/// </summary>
public sealed class NotConnectingException(string message) : InvalidOperationException(message);
