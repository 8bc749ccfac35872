using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Resolvers;

/// <summary>The operating system's own lookup, blocking: getaddrinfo on Linux, elsewhere whatever <see cref="Dns"/> stands on.</summary>
internal static class OperatingSystemLookup
{
    public static LookupOutcome LookUp(string name, AddressFamily family)
        => OperatingSystem.IsLinux() ? AddrInfoLibC.LookUp(name, family) : AskDns(name, family);

    internal static LookupOutcome AskDns(string name, AddressFamily family)
    {
        try
        {
            // An empty array is how it says that the family has none: Found makes NoAddress of it.
            return LookupOutcome.Found(Dns.GetHostAddresses(name, family), family);
        }
        catch (SocketException e)
        {
            // Expected: how it says that there is no answer. The same reasons as EaiCode's, under their Windows names.
            return e.SocketErrorCode switch
            {
                SocketError.HostNotFound => LookupOutcome.Failed(NameResolutionFailure.NotFound, inner: e),
                SocketError.NoData or SocketError.AddressFamilyNotSupported => LookupOutcome.Failed(NameResolutionFailure.NoAddress, inner: e),
                SocketError.TryAgain => LookupOutcome.Failed(NameResolutionFailure.ServerFailure, isTransient: true, e),
                SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable
                    => LookupOutcome.Failed(NameResolutionFailure.Busy, isTransient: true, e),
                _ => LookupOutcome.Failed(NameResolutionFailure.ServerFailure, inner: e),
            };
        }
    }
}
