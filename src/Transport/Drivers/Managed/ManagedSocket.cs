using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoopBridge.Drivers.Managed;

/// <summary>
/// A stream socket over <see cref="System.Net.Sockets.Socket"/> in non-blocking mode; its asynchronous engine is never started.
/// </summary>
internal sealed class ManagedSocket : RawSocket
{
    internal ManagedSocket(Socket socket)
    {
        socket.Blocking = false;
        Socket = socket;
    }

    internal Socket Socket { get; }

    internal override SafeHandle Handle => Socket.SafeHandle;

    internal override AddressFamily Family => Socket.AddressFamily;

    internal static ManagedSocket Create(AddressFamily family)
        => new(new Socket(family, SocketType.Stream, family == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp));

    internal static ManagedSocket Adopt(nint descriptor, bool ownsDescriptor)
    {
        var handle = new SafeSocketHandle(descriptor, ownsDescriptor);
        try
        {
            var adopted = new ManagedSocket(Wrap(handle));
            adopted.RefreshLocalEndPoint();
            adopted.RemoteEndPoint = Safe(adopted.Socket, static s => s.RemoteEndPoint);
            return adopted;
        }
        catch
        {
            handle.SetHandleAsInvalid(); // what could not be adopted stays the caller's, who sees why
            throw;
        }
    }

    internal static ManagedSocket Adopt(Socket socket) => new(socket)
    {
        LocalEndPoint = Safe(socket, static s => s.LocalEndPoint),
        RemoteEndPoint = Safe(socket, static s => s.RemoteEndPoint),
    };

    /// <summary>A .NET socket over the descriptor. .NET's constructor takes any, as "unknown"; this refuses what is no socket.</summary>
    internal static Socket Wrap(SafeSocketHandle handle)
    {
        var socket = new Socket(handle);
        return socket.SocketType != SocketType.Unknown ? socket : throw new SocketException((int)SocketError.NotSocket);
    }

    internal override IoResult Receive(Span<byte> buffer)
    {
        int count = Socket.Receive(buffer, SocketFlags.None, out SocketError error);
        return ToIoResult(count, error);
    }

    internal override IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        int total = 0;
        foreach (ReadOnlyMemory<byte> buffer in buffers)
        {
            int sent = Socket.Send(buffer.Span, SocketFlags.None, out SocketError error);
            total += sent;
            if (error != SocketError.Success)
            {
                return total > 0 ? IoResult.Of(total) : ToIoResult(0, error);
            }

            if (sent < buffer.Length)
            {
                break;
            }
        }

        return IoResult.Of(total);
    }

    internal override IoResult Connect(EndPoint endPoint)
    {
        RemoteEndPoint = endPoint;
        try
        {
            Socket.Connect(endPoint);
            RefreshLocalEndPoint();
            return IoResult.Of(0);
        }
        catch (SocketException e) when (IsUnderWay(e.SocketErrorCode))
        {
            return IoResult.Pending; // expected: it goes on in the background, and writability tells the end
        }
        catch (SocketException e)
        {
            return IoResult.Failed(e.SocketErrorCode); // refused at once, expected on loopback
        }
    }

    internal override IoResult Accept(out RawSocket? accepted)
    {
        accepted = null;
        try
        {
            Socket socket = Socket.Accept();
            accepted = new ManagedSocket(socket)
            {
                RemoteEndPoint = Safe(socket, static s => s.RemoteEndPoint),
                LocalEndPoint = Safe(socket, static s => s.LocalEndPoint),
            };
            return IoResult.Of(1);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return IoResult.Pending; // expected: the queue is empty
        }
        catch (SocketException e)
        {
            return IoResult.Failed(e.SocketErrorCode); // the listener decides what to do about it
        }
    }

    internal override SocketError Bind(EndPoint endPoint)
    {
        try
        {
            Socket.Bind(endPoint);
            RefreshLocalEndPoint();
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode; // the caller names endpoint and option
        }
    }

    internal override SocketError Listen(int backlog)
    {
        try
        {
            Socket.Listen(backlog);
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode; // the caller names endpoint and option
        }
    }

    internal override SocketError TakeError()
    {
        try
        {
            return (SocketError)(int)Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode; // the socket is beyond asking, which is its error
        }
    }

    internal override bool GetNoDelay() => Get(SocketOptionLevel.Tcp, SocketOptionName.NoDelay);

    internal override void SetNoDelay(bool on) => Set(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, on);

    internal override bool GetKeepAlive() => Get(SocketOptionLevel.Socket, SocketOptionName.KeepAlive);

    internal override void SetKeepAlive(bool on) => Set(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, on);

    internal override SocketError SetReusePort()
        => OperatingSystem.IsWindows() ? SocketError.OperationNotSupported : SetRawReusePort();

    internal override void SetDualMode(bool on) => Socket.DualMode = on;

    internal override void ShutdownSend()
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Expected when the peer reset first: there is no direction left to end.
        }
    }

    internal override void SetResetOnClose()
    {
        try
        {
            Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (SocketException)
        {
            // Expected on a connection that is gone.
        }
    }

    internal override void RefreshLocalEndPoint() => LocalEndPoint = Safe(Socket, static s => s.LocalEndPoint);

    internal override Socket Borrow() => new(new SafeSocketHandle(Socket.Handle, ownsHandle: false));

    internal override Socket Detach() => Socket;

    public override void Dispose() => Socket.Dispose();

    private bool Get(SocketOptionLevel level, SocketOptionName name)
    {
        try
        {
            return (int)Socket.GetSocketOption(level, name)! != 0;
        }
        catch (SocketException)
        {
            return false; // expected when the peer is gone already
        }
    }

    private void Set(SocketOptionLevel level, SocketOptionName name, bool on)
    {
        try
        {
            Socket.SetSocketOption(level, name, on);
        }
        catch (SocketException)
        {
            // Expected when the peer is gone already: nothing is lost.
        }
    }

    // SO_REUSEPORT has no name in .NET: level and number of Linux, then of macOS and the BSDs.
    private SocketError SetRawReusePort()
    {
        (int level, int name) = OperatingSystem.IsLinux() ? (1, 15) : (0xffff, 0x0200);
        try
        {
            Socket.SetRawSocketOption(level, name, BitConverter.GetBytes(1));
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode; // the caller names endpoint and option
        }
    }

    // "Would block" from a UNIX listener on Linux is a full queue: nothing will tell when there is room (connect(2), EAGAIN), so it is a
    // failure.
    private bool IsUnderWay(SocketError error)
        => error == SocketError.InProgress || (error == SocketError.WouldBlock && (IsTcp || OperatingSystem.IsWindows()));

    private static EndPoint? Safe(Socket socket, Func<Socket, EndPoint?> read)
    {
        try
        {
            return read(socket);
        }
        catch (SocketException)
        {
            return null; // expected when the peer is gone before we ask
        }
    }

    private static IoResult ToIoResult(int count, SocketError error) => error switch
    {
        SocketError.Success => IoResult.Of(count),
        SocketError.WouldBlock or SocketError.IOPending => IoResult.Pending,
        _ => IoResult.Failed(error),
    };
}
