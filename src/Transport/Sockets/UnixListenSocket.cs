using System.Net;
using System.Net.Sockets;
using LoopBridge.Drivers;
using LoopBridge.Drivers.Epoll;
using LoopBridge.Drivers.Managed;

namespace LoopBridge.Sockets;

/// <summary>Makes UNIX listeners as daemons do: an old socket in the way is replaced, and only whom the mode names may connect.</summary>
internal static class UnixListenSocket
{
    /// <summary>Only the user of the process: Tornado's default.</summary>
    internal const UnixFileMode DefaultMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Bound and listening. The file stays when the socket is closed.</summary>
    internal static RawSocket Listen(UnixDomainSocketEndPoint endPoint, UnixFileMode mode, int backlog)
    {
        bool isFile = !IsAbstract(endPoint);
        if (isFile && OperatingSystem.IsLinux())
        {
            // Whatever else has that name stays, and bind fails over it.
            SocketFile.Find(endPoint.ToString())?.Remove();
        }

        RawSocket socket = Open(endPoint);
        bool bound = false;
        try
        {
            Check(socket.Bind(endPoint), endPoint);
            bound = isFile;
            if (isFile && !OperatingSystem.IsWindows())
            {
                // After bind, which applies the umask; before listen, so that nobody slips in between.
                File.SetUnixFileMode(endPoint.ToString(), mode);
            }

            Check(socket.Listen(backlog), endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose(); // the failure goes on to the caller; the socket and its file must not stay
            if (bound)
            {
                File.Delete(endPoint.ToString());
            }

            throw;
        }
    }

    /// <summary>unix(7): the name of an abstract socket begins with NUL, behind two bytes of family, and there is no file.</summary>
    internal static bool IsAbstract(UnixDomainSocketEndPoint endPoint)
    {
        SocketAddress address = endPoint.Serialize();
        return address.Size > 2 && address[2] == 0;
    }

    // .NET's own socket would remove whatever has the name when it is closed, its successor's file included.
    private static RawSocket Open(EndPoint endPoint)
    {
        try
        {
            return EpollDriver.IsSupported ? PosixSocket.Create(AddressFamily.Unix) : ManagedSocket.Create(AddressFamily.Unix);
        }
        catch (SocketException e)
        {
            throw new ListenException(endPoint, e.SocketErrorCode); // out of descriptors, or a system without them
        }
    }

    private static void Check(SocketError error, EndPoint endPoint)
    {
        if (error != SocketError.Success)
        {
            throw new ListenException(endPoint, error);
        }
    }
}
