using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Resolvers;

/// <summary>What every resolver does alike before it asks anybody: checks its arguments, and answers what the name itself tells.</summary>
internal static class LocalAnswer
{
    // The order of RFC 6724: v6 first.
    private static readonly IPAddress[] Loopback = [IPAddress.IPv6Loopback, IPAddress.Loopback];

    /// <summary>Throws for what is an error of the calling code and not of the name (D-10).</summary>
    public static void CheckArguments(string host, int port, AddressFamily family)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, IPEndPoint.MinPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        if (family is not (AddressFamily.Unspecified or AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
            throw new ArgumentOutOfRangeException(nameof(family), family, "Only IPv4, IPv6 or both can be asked for.");
    }

    /// <summary>The answer, or null if <paramref name="name"/>, the normalized form of the host, has to be looked up.</summary>
    /// <exception cref="NameResolutionException">The name is not one, or never found (D-03 to D-09).</exception>
    public static NameResolution? Find(string host, int port, AddressFamily family, out string name)
    {
        if (IPLiteral.TryParse(host, out IPAddress address))
        {
            name = host;
            return OfFamily([address], host, port, family);
        }

        if (!HostName.TryNormalize(host, out name))
            throw new NameResolutionException(NameResolutionFailure.InvalidName, host);

        // RFC 6761 sections 6.3 and 6.4, RFC 7686: never sent, for what they would tell to others and what others could answer.
        // *.local is not among them: cluster names end in it.
        if (HostName.IsWithin(name, "localhost"))
            return OfFamily(Loopback, host, port, family);
        if (HostName.IsWithin(name, "invalid") || HostName.IsWithin(name, "onion"))
            throw new NameResolutionException(NameResolutionFailure.NotFound, host);
        return null;
    }

    private static NameResolution OfFamily(IPAddress[] addresses, string host, int port, AddressFamily family)
    {
        if (family != AddressFamily.Unspecified)
            addresses = Array.FindAll(addresses, a => a.AddressFamily == family);
        return addresses.Length == 0
            ? throw new NameResolutionException(NameResolutionFailure.NoAddress, host)
            : NameResolution.Copy(addresses, port, NameResolutionSource.Literal);
    }
}
