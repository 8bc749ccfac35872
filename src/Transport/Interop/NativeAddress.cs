using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Interop;

/// <summary>
/// Between <see cref="EndPoint"/> and <c>struct sockaddr</c>. .NET's own serialisation has the native layout, scope ids and abstract names
/// included, so nothing is laid out by hand here.
/// </summary>
internal static class NativeAddress
{
    /// <summary>Room for any address: <c>sockaddr_un</c> is 110 bytes, <c>sockaddr_storage</c> 128.</summary>
    internal const int MaxLength = 128;

    // Linux's numbers (include/linux/socket.h); .NET's AddressFamily has Windows' ones.
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;

    internal static ReadOnlySpan<byte> Serialize(EndPoint endPoint)
    {
        SocketAddress address = endPoint.Serialize();
        return address.Buffer.Span[..address.Size];
    }

    internal static EndPoint? Parse(ReadOnlySpan<byte> native)
    {
        if (native.Length < sizeof(ushort))
        {
            return null;
        }

        int family = BitConverter.ToUInt16(native);
        switch (family)
        {
            case AF_INET when native.Length >= 8:
                return new IPEndPoint(new IPAddress(native.Slice(4, 4)), (native[2] << 8) | native[3]);
            case AF_INET6 when native.Length >= 28:
                var address = new IPAddress(native.Slice(8, 16), BitConverter.ToUInt32(native.Slice(24, 4)));
                return new IPEndPoint(address, (native[2] << 8) | native[3]);
            case AF_UNIX:
                return ParseUnix(native);
            default:
                return null;
        }
    }

    internal static int FamilyOf(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => AF_INET,
        AddressFamily.InterNetworkV6 => AF_INET6,
        AddressFamily.Unix => AF_UNIX,
        _ => throw new NotSupportedException($"Sockets of the address family {family} are not supported: use IPv4, IPv6 or UNIX endpoints."),
    };

    // A client that bound no name has only the family (unix(7), "unnamed"): .NET's reading of that is the unnamed endpoint.
    private static EndPoint ParseUnix(ReadOnlySpan<byte> native)
    {
        var address = new SocketAddress(AddressFamily.Unix, Math.Max(native.Length, 2));
        native.CopyTo(address.Buffer.Span);
        return new UnixDomainSocketEndPoint("/").Create(address);
    }
}
