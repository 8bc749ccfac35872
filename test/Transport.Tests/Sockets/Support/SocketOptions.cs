using System.Globalization;
using System.Net.Sockets;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>What the kernel says of a listening socket. Linux.</summary>
internal static class SocketOptions
{
    private const int O_NONBLOCK = 0x800;
    private const int O_CLOEXEC = 0x80000;
    private const int IPPROTO_TCP = 6;
    private const int TCP_INFO = 11;
    private const int MaxBacklogOffset = 28; // tcp_info.tcpi_sacked, which of a listener is its backlog
    private const int IPPROTO_IPV6 = 41;
    private const int IPV6_V6ONLY = 26;
    private const int SOL_SOCKET = 1;
    private const int SO_REUSEADDR = 2;
    private const int SO_REUSEPORT = 15;

    internal static int Backlog(this Socket socket)
    {
        byte[] info = new byte[256];
        socket.GetRawSocketOption(IPPROTO_TCP, TCP_INFO, info);
        return BitConverter.ToInt32(info, MaxBacklogOffset);
    }

    internal static bool IsIPv6Only(this Socket socket) => Flag(socket, IPPROTO_IPV6, IPV6_V6ONLY);

    internal static bool ReusesAddress(this Socket socket) => Flag(socket, SOL_SOCKET, SO_REUSEADDR);

    internal static bool ReusesPort(this Socket socket) => Flag(socket, SOL_SOCKET, SO_REUSEPORT);

    internal static bool IsNonBlocking(this Socket socket) => (StatusFlags(socket) & O_NONBLOCK) != 0;

    internal static bool IsClosedOnExec(this Socket socket) => (StatusFlags(socket) & O_CLOEXEC) != 0;

    private static bool Flag(Socket socket, int level, int option)
    {
        byte[] value = new byte[sizeof(int)];
        socket.GetRawSocketOption(level, option, value);
        return BitConverter.ToInt32(value) != 0;
    }

    // proc(5), fdinfo: "flags:" in octal, O_CLOEXEC among them.
    private static int StatusFlags(Socket socket)
    {
        string line = File.ReadLines($"/proc/self/fdinfo/{socket.Handle}").Single(text => text.StartsWith("flags:", StringComparison.Ordinal));
        return Convert.ToInt32(line["flags:".Length..].Trim().ToString(CultureInfo.InvariantCulture), 8);
    }
}
