using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using Microsoft.AspNetCore.Connections;

namespace LoopBridge.Sockets;

/// <summary>Makes listening sockets, and turns what can go wrong into an exception that names endpoint and remedy.</summary>
internal static partial class ListeningSockets
{
    /// <summary>Bound and listening: a client may connect as soon as this returns.</summary>
    internal static RawSocket Listen(ISocketDriver driver, EndPoint endPoint, ListenSettings settings)
        => Listen(Open(driver, endPoint), endPoint, settings);

    /// <summary>As above, on a socket that somebody made and bound, and keeps open for as long as it listens.</summary>
    internal static RawSocket Listen(ISocketDriver driver, Socket bound, EndPoint endPoint, ListenSettings settings)
    {
        RawSocket socket = ReadyMadeSockets.Share(driver, bound.SafeHandle);
        try
        {
            Check(socket.Listen(settings.Backlog), endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose(); // the failure goes on to the caller; the duplicate must not stay
            throw;
        }
    }

    // The socket is this function's to close if it cannot listen.
    private static RawSocket Listen(RawSocket socket, EndPoint endPoint, ListenSettings settings)
    {
        try
        {
            if (endPoint is not FileHandleEndPoint)
            {
                Bind(socket, endPoint, settings);
            }

            Check(socket.Listen(settings.Backlog), endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose(); // the failure goes on to the caller; the socket must not
            throw;
        }
    }

    private static RawSocket Open(ISocketDriver driver, EndPoint endPoint)
    {
        try
        {
            // A file handle is somebody else's descriptor: it is bound, and stays open when we are done.
            return endPoint is FileHandleEndPoint file
                ? driver.AdoptSocket((nint)file.FileHandle, ownsDescriptor: false)
                : driver.CreateSocket(endPoint.AddressFamily);
        }
        catch (SocketException e)
        {
            throw new ListenException(endPoint, e.SocketErrorCode); // no socket in it, out of descriptors, or a family this machine lacks
        }
    }

    private static void Bind(RawSocket socket, EndPoint endPoint, ListenSettings settings)
    {
        if (settings.ReusePort)
        {
            Check(socket.SetReusePort(), endPoint);
        }

        if (endPoint is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } ip)
        {
            // Kestrel's ListenAnyIP means both families.
            socket.SetDualMode(!settings.IPv6Only && ip.Address.Equals(IPAddress.IPv6Any));
        }

        Check(socket.Bind(endPoint), endPoint);
    }

    private static void Check(SocketError error, EndPoint endPoint)
    {
        if (error == SocketError.Success)
        {
            return;
        }

        var exception = new ListenException(endPoint, error);
        throw error == SocketError.AddressAlreadyInUse ? new AddressInUseException(exception.Message, exception) : exception;
    }
}
