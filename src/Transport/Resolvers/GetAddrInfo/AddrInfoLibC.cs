using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace LoopBridge.Resolvers;

/// <summary>
/// getaddrinfo(3) of the C library on Linux. Called here and not through <see cref="Dns"/>, which takes more forms of addresses than we
/// do, reads "" as the local host, and tells a host without addresses of a family by an empty array.
/// </summary>
internal static unsafe partial class AddrInfoLibC
{
    // <bits/socket.h>, <bits/socket_type.h> on Linux
    private const int AfUnspec = 0, AfInet = 2, AfInet6 = 10;
    private const int SockStream = 1;

    public static LookupOutcome LookUp(string name, AddressFamily family)
    {
        AddrInfo hints = new()
        {
            Family = family switch
            {
                AddressFamily.InterNetwork => AfInet,
                AddressFamily.InterNetworkV6 => AfInet6,
                _ => AfUnspec,
            },

            // One kind of socket, or every address comes once per kind. No flags: AI_ADDRCONFIG would hide ::1 and 127.0.0.1 on machines
            // that have nothing else (D-71), and without hints at all glibc sets it by itself.
            SocketType = SockStream,
        };
        AddrInfo* first = null;
        int code = getaddrinfo(name, null, &hints, &first);
        if (code != 0)
            return EaiCode.ToOutcome(code, code == EaiCode.SystemError ? Marshal.GetLastPInvokeError() : 0);
        try
        {
            List<IPAddress> addresses = [];
            for (AddrInfo* info = first; info is not null; info = info->Next)
            {
                if (Read(info) is { } address)
                    addresses.Add(address);
            }

            return LookupOutcome.Found(addresses, family);
        }
        finally
        {
            freeaddrinfo(first);
        }
    }

    private static IPAddress? Read(AddrInfo* info)
    {
        if (info->Family == AfInet && info->AddressLength >= sizeof(SockAddrIn))
            return new IPAddress(new ReadOnlySpan<byte>(((SockAddrIn*)info->Address)->Address, 4));
        if (info->Family == AfInet6 && info->AddressLength >= sizeof(SockAddrIn6))
        {
            SockAddrIn6* v6 = (SockAddrIn6*)info->Address;
            return new IPAddress(new ReadOnlySpan<byte>(v6->Address, 16), v6->ScopeId);
        }

        return null;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int getaddrinfo(string node, string? service, AddrInfo* hints, AddrInfo** result);

    [LibraryImport("libc")]
    private static partial void freeaddrinfo(AddrInfo* result);

    // <netdb.h>; the canonical name comes after the address on Linux, before it on BSD and macOS.
    [StructLayout(LayoutKind.Sequential)]
    private struct AddrInfo
    {
        public int Flags;
        public int Family;
        public int SocketType;
        public int Protocol;
        public uint AddressLength;
        public void* Address;
        public byte* CanonicalName;
        public AddrInfo* Next;
    }

    // <netinet/in.h>
    [StructLayout(LayoutKind.Sequential)]
    private struct SockAddrIn
    {
        public ushort Family;
        public ushort Port;
        public fixed byte Address[4];
        public fixed byte Padding[8];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SockAddrIn6
    {
        public ushort Family;
        public ushort Port;
        public uint FlowInfo;
        public fixed byte Address[16];
        public uint ScopeId;
    }
}
