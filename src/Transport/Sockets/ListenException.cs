using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Sockets;

/// <summary>
/// An endpoint could not be listened on. A <see cref="SocketException"/>, because Kestrel's fall-backs (<c>localhost</c>, <c>*</c>) tell by
/// the type what to try next.
/// </summary>
internal sealed class ListenException(EndPoint endPoint, SocketError error) : SocketException((int)error)
{
    public override string Message => $"Could not listen on {Describe(endPoint)}: {base.Message}. {Remedy(endPoint, SocketErrorCode)}";

    private static string Describe(EndPoint endPoint) => endPoint switch
    {
        UnixDomainSocketEndPoint unix => $"unix:{unix}",
        _ => endPoint.ToString()!,
    };

    private static string Remedy(EndPoint endPoint, SocketError error) => (endPoint, error) switch
    {
        (UnixDomainSocketEndPoint, SocketError.AddressAlreadyInUse) =>
            "A file of that name exists: end the other listener, or remove the file if none uses it, or change the endpoint's Url (Kestrel:Endpoints:NAME:Url or Listen…).",
        (_, SocketError.AddressAlreadyInUse) =>
            "Another socket listens there: end it, or change the endpoint's Url (Kestrel:Endpoints:NAME:Url or Listen…).",
        (UnixDomainSocketEndPoint, SocketError.AccessDenied) =>
            "The process may not write to the socket's directory: change its rights or the endpoint's Url.",
        (UnixDomainSocketEndPoint, _) =>
            "The socket's directory must exist and the path must fit: create the directory or change the endpoint's Url.",
        (IPEndPoint { Port: > 0 and < 1024 }, SocketError.AccessDenied) =>
            "Ports below 1024 need the right CAP_NET_BIND_SERVICE: grant it or change the port in the endpoint's Url.",
        (_, SocketError.AddressNotAvailable) =>
            "No interface of this machine has that address: change the endpoint's Url.",
        _ => "Change the endpoint's Url (Kestrel:Endpoints:NAME:Url or Listen…).",
    };
}
