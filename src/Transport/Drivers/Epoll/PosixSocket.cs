using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using LoopBridge.Interop;

namespace LoopBridge.Drivers.Epoll;

/// <summary>A stream socket over the C library's calls.</summary>
internal sealed unsafe class PosixSocket(DescriptorHandle handle, AddressFamily family) : RawSocket
{
    [ThreadStatic]
    private static System.Buffers.MemoryHandle[]? _threadPins;

    private readonly int _descriptor = handle.Number;

    internal override SafeHandle Handle => handle;

    internal override AddressFamily Family => family;

    internal static PosixSocket Create(AddressFamily family)
    {
        PosixResult result = LibC.StreamSocket(NativeAddress.FamilyOf(family));
        return result.IsOk
            ? new PosixSocket(new DescriptorHandle(result.Value), family)
            : throw new SocketException((int)result.Error.ToSocketError());
    }

    internal static PosixSocket Adopt(nint descriptor, bool ownsDescriptor)
    {
        PosixResult result = LibC.GetOption((int)descriptor, LibC.SOL_SOCKET, LibC.SO_DOMAIN, out int domain);
        if (!result.IsOk)
        {
            throw new SocketException((int)result.Error.ToSocketError());
        }

        AddressFamily family = domain switch
        {
            NativeAddress.AF_INET => AddressFamily.InterNetwork,
            NativeAddress.AF_INET6 => AddressFamily.InterNetworkV6,
            NativeAddress.AF_UNIX => AddressFamily.Unix,
            _ => throw new NotSupportedException($"The descriptor {descriptor} is a socket of the unsupported domain {domain}: use IPv4, IPv6 or UNIX stream sockets."),
        };
        LibC.SetNonBlocking((int)descriptor).OrThrow("fcntl(F_SETFL, O_NONBLOCK)");
        var socket = new PosixSocket(new DescriptorHandle((int)descriptor, ownsDescriptor), family);
        socket.RefreshLocalEndPoint();
        Span<byte> peer = stackalloc byte[NativeAddress.MaxLength];
        if (LibC.PeerName((int)descriptor, peer, out int length).IsOk) // ENOTCONN: it listens, or will connect
        {
            socket.RemoteEndPoint = NativeAddress.Parse(peer[..Math.Min(length, peer.Length)]);
        }

        return socket;
    }

    internal static PosixSocket Adopt(Socket socket)
    {
        // A copy of the descriptor, because .NET may have the original in its own epoll set and in its books.
        PosixResult copy = LibC.Duplicate((int)socket.SafeHandle.DangerousGetHandle());
        if (!copy.IsOk)
        {
            throw new SocketException((int)copy.Error.ToSocketError());
        }

        PosixSocket adopted;
        try
        {
            adopted = Adopt(copy.Value, ownsDescriptor: true);
        }
        catch
        {
            LibC.Close(copy.Value); // no socket of ours: the caller sees why and keeps his
            throw;
        }

        socket.Dispose();

        // Both descriptors share the status flags, and .NET may have made the socket blocking again in order to close it.
        LibC.SetNonBlocking(copy.Value).OrThrow("fcntl(F_SETFL, O_NONBLOCK)");
        return adopted;
    }

    internal override IoResult Receive(Span<byte> buffer) => ToIoResult(LibC.Receive(_descriptor, buffer));

    internal override IoResult Send(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
        => ToIoResult(buffers.Length == 1 ? LibC.Send(_descriptor, buffers[0].Span) : SendGather(buffers));

    internal override IoResult Connect(EndPoint endPoint)
    {
        RemoteEndPoint = endPoint;
        PosixResult result = LibC.Connect(_descriptor, NativeAddress.Serialize(endPoint));
        if (result.IsOk)
        {
            RefreshLocalEndPoint();
            return IoResult.Of(0);
        }

        // EAGAIN here is a UNIX listener with a full queue: nothing will tell when there is room (connect(2)), so it is a failure and not a
        // wait.
        return result.Error == Errno.EINPROGRESS ? IoResult.Pending : IoResult.Failed(result.Error.ToSocketError());
    }

    internal override IoResult Accept(out RawSocket? accepted)
    {
        Span<byte> address = stackalloc byte[NativeAddress.MaxLength];
        PosixResult result = LibC.Accept(_descriptor, address, out int length);
        if (!result.IsOk)
        {
            accepted = null;
            return ToIoResult(result);
        }

        accepted = new PosixSocket(new DescriptorHandle(result.Value), family)
        {
            RemoteEndPoint = NativeAddress.Parse(address[..Math.Min(length, address.Length)]),
        };
        if (HasOneLocalAddress(LocalEndPoint))
        {
            accepted.LocalEndPoint = LocalEndPoint;
        }
        else
        {
            accepted.RefreshLocalEndPoint();
        }

        return IoResult.Of(1);
    }

    internal override SocketError Bind(EndPoint endPoint)
    {
        LibC.SetOption(_descriptor, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, 1).OrThrow("setsockopt(SO_REUSEADDR)");
        SocketError error = LibC.Bind(_descriptor, NativeAddress.Serialize(endPoint)).Error.ToSocketError();
        if (error == SocketError.Success)
        {
            RefreshLocalEndPoint();
        }

        return error;
    }

    internal override SocketError Listen(int backlog) => LibC.Listen(_descriptor, backlog).Error.ToSocketError();

    internal override SocketError TakeError()
    {
        PosixResult result = LibC.GetOption(_descriptor, LibC.SOL_SOCKET, LibC.SO_ERROR, out int pending);
        return (result.IsOk ? (Errno)pending : result.Error).ToSocketError();
    }

    // A peer that is gone already may make it fail: nothing is lost.
    internal override bool GetNoDelay()
        => LibC.GetOption(_descriptor, LibC.IPPROTO_TCP, LibC.TCP_NODELAY, out int value).IsOk && value != 0;

    internal override void SetNoDelay(bool on) => _ = LibC.SetOption(_descriptor, LibC.IPPROTO_TCP, LibC.TCP_NODELAY, on ? 1 : 0);

    internal override bool GetKeepAlive()
        => LibC.GetOption(_descriptor, LibC.SOL_SOCKET, LibC.SO_KEEPALIVE, out int value).IsOk && value != 0;

    internal override void SetKeepAlive(bool on) => _ = LibC.SetOption(_descriptor, LibC.SOL_SOCKET, LibC.SO_KEEPALIVE, on ? 1 : 0);

    internal override SocketError SetReusePort()
        => LibC.SetOption(_descriptor, LibC.SOL_SOCKET, LibC.SO_REUSEPORT, 1).Error.ToSocketError();

    internal override void SetDualMode(bool on)
        => LibC.SetOption(_descriptor, LibC.IPPROTO_IPV6, LibC.IPV6_V6ONLY, on ? 0 : 1).OrThrow("setsockopt(IPV6_V6ONLY)");

    // ENOTCONN: the peer reset first, and there is no direction left to end.
    internal override void ShutdownSend() => _ = LibC.ShutdownSend(_descriptor);

    internal override void SetResetOnClose() => _ = LibC.SetLingerZero(_descriptor); // fails only on a connection that is gone

    internal override void RefreshLocalEndPoint()
    {
        Span<byte> address = stackalloc byte[NativeAddress.MaxLength];
        if (LibC.SocketName(_descriptor, address, out int length).IsOk)
        {
            LocalEndPoint = NativeAddress.Parse(address[..Math.Min(length, address.Length)]);
        }
    }

    internal override Socket Borrow() => new(new SafeSocketHandle(_descriptor, ownsHandle: false));

    internal override Socket Detach()
    {
        var owner = new SafeSocketHandle(_descriptor, ownsHandle: true);
        handle.SetHandleAsInvalid(); // two owners would close it twice
        try
        {
            // It finds out by itself that the descriptor does not block, and refuses synchronous calls unless it is told so, too.
            return new Socket(owner) { Blocking = false };
        }
        catch
        {
            owner.Dispose(); // what cannot be given away must not stay behind
            throw;
        }
    }

    public override void Dispose() => handle.Dispose();

    // A connection accepted on one concrete address has that address; on a wildcard it has to be asked for.
    private static bool HasOneLocalAddress(EndPoint? listening) => listening switch
    {
        IPEndPoint ip => !ip.Address.Equals(IPAddress.Any) && !ip.Address.Equals(IPAddress.IPv6Any),
        _ => listening is not null,
    };

    private PosixResult SendGather(ReadOnlySpan<ReadOnlyMemory<byte>> buffers)
    {
        int count = Math.Min(buffers.Length, LibC.MaxGather);
        LibC.IoVector* vectors = stackalloc LibC.IoVector[count];
        System.Buffers.MemoryHandle[] pins = _threadPins ??= new System.Buffers.MemoryHandle[LibC.MaxGather];
        for (int i = 0; i < count; i++)
        {
            pins[i] = buffers[i].Pin();
            vectors[i].Base = (byte*)pins[i].Pointer;
            vectors[i].Length = (nuint)buffers[i].Length;
        }

        PosixResult result = LibC.SendGather(_descriptor, vectors, count);
        for (int i = 0; i < count; i++)
        {
            pins[i].Dispose();
        }

        return result;
    }

    private static IoResult ToIoResult(PosixResult result)
        => result.IsOk ? IoResult.Of(result.Value)
            : result.Error == Errno.EAGAIN ? IoResult.Pending
            : IoResult.Failed(result.Error.ToSocketError());
}
