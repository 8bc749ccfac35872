using System.Runtime.InteropServices;

namespace LoopBridge.Interop;

internal static unsafe partial class LibC
{
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int IPPROTO_TCP = 6;
    internal const int IPPROTO_IPV6 = 41;
    internal const int TCP_NODELAY = 1;
    internal const int IPV6_V6ONLY = 26;
    internal const int SOL_SOCKET = 1;
    internal const int SO_REUSEADDR = 2;
    internal const int SO_ERROR = 4;
    internal const int SO_KEEPALIVE = 9;
    internal const int SO_LINGER = 13;
    internal const int SO_REUSEPORT = 15;
    internal const int SO_DOMAIN = 39;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int SHUT_WR = 1;

    /// <summary>
    /// Most buffers one gather send takes: <c>IOV_MAX</c> is 1024 on Linux; past a few dozen a longer vector saves no more calls.
    /// </summary>
    internal const int MaxGather = 64;

    /// <summary>One buffer of a gather send, readv(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVector
    {
        internal byte* Base;
        internal nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        internal void* Name;
        internal uint NameLength;
        internal IoVector* Vectors;
        internal nuint VectorCount;
        internal void* Control;
        internal nuint ControlLength;
        internal int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Linger
    {
        internal int OnOff;
        internal int Seconds;
    }

    /// <summary>A stream socket that neither blocks nor survives into child processes.</summary>
    internal static PosixResult StreamSocket(int family)
        => PosixResult.Of(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

    internal static PosixResult Bind(int descriptor, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address)
        {
            return PosixResult.Of(bind(descriptor, pointer, (uint)address.Length));
        }
    }

    internal static PosixResult Listen(int descriptor, int backlog) => PosixResult.Of(listen(descriptor, backlog));

    internal static PosixResult Connect(int descriptor, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address)
        {
            return PosixResult.Of(connect(descriptor, pointer, (uint)address.Length));
        }
    }

    /// <summary>Takes one connection; <paramref name="address"/> gets the peer's address and its true length.</summary>
    internal static PosixResult Accept(int descriptor, Span<byte> address, out int addressLength)
    {
        uint length = (uint)address.Length;
        fixed (byte* pointer = address)
        {
            PosixResult result = PosixResult.Of(accept4(descriptor, pointer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
            addressLength = (int)length;
            return result;
        }
    }

    internal static PosixResult Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return PosixResult.Of(recv(descriptor, pointer, (nuint)buffer.Length, 0));
        }
    }

    internal static PosixResult Send(int descriptor, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            return PosixResult.Of(send(descriptor, pointer, (nuint)buffer.Length, MSG_NOSIGNAL));
        }
    }

    internal static PosixResult SendGather(int descriptor, IoVector* vectors, int count)
    {
        MessageHeader header = default;
        header.Vectors = vectors;
        header.VectorCount = (nuint)count;
        return PosixResult.Of(sendmsg(descriptor, &header, MSG_NOSIGNAL));
    }

    internal static PosixResult ShutdownSend(int descriptor) => PosixResult.Of(shutdown(descriptor, SHUT_WR));

    internal static PosixResult SetOption(int descriptor, int level, int option, int value)
        => PosixResult.Of(setsockopt(descriptor, level, option, &value, sizeof(int)));

    internal static PosixResult GetOption(int descriptor, int level, int option, out int value)
    {
        int found = 0;
        uint length = sizeof(int);
        PosixResult result = PosixResult.Of(getsockopt(descriptor, level, option, &found, &length));
        value = found;
        return result;
    }

    /// <summary>Makes the coming close send RST and drop what was not sent (socket(7), SO_LINGER with a zero time).</summary>
    internal static PosixResult SetLingerZero(int descriptor)
    {
        var linger = new Linger { OnOff = 1, Seconds = 0 };
        return PosixResult.Of(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, (uint)sizeof(Linger)));
    }

    /// <summary>What SO_LINGER is, for <see cref="SetLinger"/> to make it that again.</summary>
    internal static PosixResult GetLinger(int descriptor, out (int OnOff, int Seconds) value)
    {
        var linger = default(Linger);
        uint length = (uint)sizeof(Linger);
        PosixResult result = PosixResult.Of(getsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, &length));
        value = (linger.OnOff, linger.Seconds);
        return result;
    }

    internal static PosixResult SetLinger(int descriptor, (int OnOff, int Seconds) value)
    {
        var linger = new Linger { OnOff = value.OnOff, Seconds = value.Seconds };
        return PosixResult.Of(setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, (uint)sizeof(Linger)));
    }

    internal static PosixResult SocketName(int descriptor, Span<byte> address, out int addressLength)
    {
        uint length = (uint)address.Length;
        fixed (byte* pointer = address)
        {
            PosixResult result = PosixResult.Of(getsockname(descriptor, pointer, &length));
            addressLength = (int)length;
            return result;
        }
    }

    internal static PosixResult PeerName(int descriptor, Span<byte> address, out int addressLength)
    {
        uint length = (uint)address.Length;
        fixed (byte* pointer = address)
        {
            PosixResult result = PosixResult.Of(getpeername(descriptor, pointer, &length));
            addressLength = (int)length;
            return result;
        }
    }

    [LibraryImport(Library, SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int bind(int fd, byte* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int listen(int fd, int backlog);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int connect(int fd, byte* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int accept4(int fd, byte* address, uint* length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint recv(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint send(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int shutdown(int fd, int how);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getsockopt(int fd, int level, int option, void* value, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getsockname(int fd, byte* address, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int getpeername(int fd, byte* address, uint* length);
}
