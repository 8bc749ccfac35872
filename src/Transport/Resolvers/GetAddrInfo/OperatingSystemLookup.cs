using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Resolvers;

/// <summary>The operating system's own lookup, blocking: getaddrinfo on Linux, elsewhere whatever <see cref="Dns"/> stands on.</summary>
internal static class OperatingSystemLookup
{
    public static LookupOutcome LookUp(string name, AddressFamily family)
    {
        LookupOutcome outcome = Ask(name, family);
        if (family == AddressFamily.Unspecified || outcome.Failure != NameResolutionFailure.NotFound)
            return outcome;

        // A host of the hosts file that lacks the family is EAI_NONAME in glibc, not EAI_NODATA: the file's reader knows one family at a
        // time. Whoever asked must hear "no such address" and not "no such host" (D-03), so a miss is worth a second question.
        AddressFamily other = family == AddressFamily.InterNetwork ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        return Ask(name, other).Addresses.Length > 0 ? LookupOutcome.Failed(NameResolutionFailure.NoAddress) : outcome;
    }

    private static LookupOutcome Ask(string name, AddressFamily family)
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
                SocketError.NoData or SocketError.AddressFamilyNotSupported
                    => LookupOutcome.Failed(NameResolutionFailure.NoAddress, inner: e),
                SocketError.TryAgain => LookupOutcome.Failed(NameResolutionFailure.ServerFailure, isTransient: true, e),
                SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable
                    => LookupOutcome.Failed(NameResolutionFailure.Busy, isTransient: true, e),
                _ => LookupOutcome.Failed(NameResolutionFailure.ServerFailure, inner: e),
            };
        }
    }
}
