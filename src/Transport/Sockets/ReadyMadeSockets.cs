using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Drivers.Managed;
using LoopBridge.Interop;

namespace LoopBridge.Sockets;

/// <summary>Sockets that somebody else made, for use on a loop: .NET sockets, and descriptors that a parent process left open.</summary>
/// <remarks>
/// On Linux the loop gets a descriptor of its own for the same socket. To share the number would mean either that
/// <see cref="Socket.Dispose()"/> on the other side spins until the loop lets go, or that the loop keeps watching a number that is
/// somebody else's by then.
/// </remarks>
internal static class ReadyMadeSockets
{
    /// <summary>The loop's from here on: what it was given as is closed, and the socket itself with what is returned.</summary>
    internal static RawSocket TakeOver(ISocketDriver driver, SafeHandle handle)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new ManagedSocket(new Socket((SafeSocketHandle)handle)); // the only kind there; it owns the handle
        }

        RawSocket taken = Share(driver, handle);
        int number = (int)taken.Handle.DangerousGetHandle();
        PosixResult known = LibC.GetLinger(number, out (int, int) linger);
        handle.Dispose();

        // Both descriptors share the status flags and the options. .NET may have made the socket blocking again in order to close it; and a
        // SafeSocketHandle that is disposed of by itself makes its close a reset: ours would be one, too, and drop what is still unsent,
        // and so would be the closes of all that a listener accepts.
        LibC.SetNonBlocking(number).OrThrow("fcntl(F_SETFL, O_NONBLOCK)");
        if (known.IsOk)
        {
            LibC.SetLinger(number, linger).OrThrow("setsockopt(SO_LINGER)");
        }

        return taken;
    }

    /// <summary>As <see cref="TakeOver"/>, for a socket that listens.</summary>
    /// <exception cref="ArgumentException">
    /// It does not listen, or is no stream socket that we know. It is the caller's as before.
    /// </exception>
    internal static RawSocket TakeOverListener(ISocketDriver driver, SafeSocketHandle handle)
    {
        VerifyListens(handle);
        return TakeOver(driver, handle);
    }

    /// <summary>The socket stays the caller's, too, and open until both have closed it.</summary>
    internal static RawSocket Share(ISocketDriver driver, SafeHandle handle)
    {
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            nint descriptor = handle.DangerousGetHandle();
            return OperatingSystem.IsLinux()
                ? AdoptDuplicate(driver, descriptor)
                : driver.AdoptSocket(descriptor, ownsDescriptor: false);
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    /// <summary>As <see cref="Share"/>, for a socket that listens.</summary>
    /// <exception cref="SocketException">The descriptor is not open.</exception>
    /// <exception cref="ArgumentException">It does not listen, or is no stream socket that we know.</exception>
    internal static RawSocket ShareListener(ISocketDriver driver, SafeHandle handle)
    {
        RawSocket shared = Share(driver, handle);
        try
        {
            VerifyListens(shared.Handle);
            return shared;
        }
        catch
        {
            shared.Dispose(); // the failure goes on to the caller; the duplicate must not
            throw;
        }
    }

    private static void VerifyListens(SafeHandle handle)
    {
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            using var look = new Socket(new SafeSocketHandle(handle.DangerousGetHandle(), ownsHandle: false));
            if (look.SocketType == SocketType.Stream
                && look.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 or AddressFamily.Unix
                && (int)look.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection)! != 0)
            {
                return;
            }
        }
        catch (SocketException e)
        {
            throw new ArgumentException($"The descriptor {handle.DangerousGetHandle()} is no socket.", nameof(handle), e);
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }

        throw new ArgumentException(
            $"The socket of descriptor {handle.DangerousGetHandle()} does not listen, or is no IPv4, IPv6 or UNIX stream socket.",
            nameof(handle));
    }

    private static RawSocket AdoptDuplicate(ISocketDriver driver, nint descriptor)
    {
        PosixResult duplicate = LibC.Duplicate((int)descriptor);
        if (!duplicate.IsOk)
        {
            throw new SocketException(
                (int)(duplicate.Error == Errno.EBADF ? SocketError.NotSocket : duplicate.Error.ToSocketError()));
        }

        try
        {
            return driver.AdoptSocket(duplicate.Value, ownsDescriptor: true);
        }
        catch
        {
            _ = LibC.Close(duplicate.Value); // no socket, or none that we can use: the caller's to hear
            throw;
        }
    }
}
