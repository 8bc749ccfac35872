using System.Net.Sockets;

namespace LoopBridge.Protocols;

/// <summary>A socket of this family cannot be used. Descends from Twisted's <c>UnsupportedAddressFamily</c>.</summary>
public sealed class UnsupportedAddressFamilyException(AddressFamily family, string parameterName) : ArgumentException(
    $"Sockets of the family {family} cannot be used here: InterNetwork, InterNetworkV6 and Unix can.", parameterName)
{
    /// <summary>The family.</summary>
    public AddressFamily Family => family;
}
