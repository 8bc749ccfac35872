using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Sockets;

/// <summary>
/// An endpoint could not be listened on. A <see cref="SocketException"/>, because Kestrel's fall-backs (<c>localhost</c>, <c>*</c>) tell by
/// the type what to try next.
/// </summary>
internal sealed class ListenException(EndPoint endPoint, SocketError error) : SocketException((int)error)
{
    private const string Elsewhere
        = "listen on another endpoint (with Kestrel, change the endpoint's Url: Kestrel:Endpoints:NAME:Url or Listen…)";

    internal EndPoint EndPoint => endPoint;

    public override string Message => $"Could not listen on {Describe(endPoint)}: {base.Message}. {Remedy(endPoint, SocketErrorCode)}";

    private static string Describe(EndPoint endPoint) => endPoint switch
    {
        UnixDomainSocketEndPoint unix => $"unix:{unix}",
        _ => endPoint.ToString()!,
    };

    private static string Remedy(EndPoint endPoint, SocketError error) => (endPoint, error) switch
    {
        (UnixDomainSocketEndPoint, SocketError.AddressAlreadyInUse) =>
            $"A file of that name exists: end the other listener, or remove the file if none uses it, or {Elsewhere}.",
        (_, SocketError.AddressAlreadyInUse) =>
            $"Another socket listens there: end it, or {Elsewhere}.",
        (UnixDomainSocketEndPoint, SocketError.AccessDenied) =>
            $"The process may not write to the socket's directory: change its rights or {Elsewhere}.",
        (UnixDomainSocketEndPoint, _) =>
            $"The socket's directory must exist and the path must fit: create the directory or {Elsewhere}.",
        (IPEndPoint { Port: > 0 and < 1024 }, SocketError.AccessDenied) =>
            $"Ports below 1024 need the right CAP_NET_BIND_SERVICE: grant it or {Elsewhere}.",
        (_, SocketError.AddressNotAvailable) =>
            $"No interface of this machine has that address: {Elsewhere}.",
        _ => $"Perhaps {Elsewhere}.",
    };
}
