using System.Net.Sockets;

namespace LoopBridge.Resolvers;

/// <summary>
/// Turns a host name into the endpoints to connect to. Every outbound connection of LoopBridge asks the one that dependency injection
/// gives.
/// </summary>
/// <remarks>
/// What every implementation answers alike, before it asks anybody: IP literals, <c>localhost</c> and names below it, <c>*.invalid</c> and
/// <c>*.onion</c> (never found), and everything that is no host name.
/// Members may be called from any thread, an event loop's included, and at the same time.
/// </remarks>
public interface INameResolver
{
    /// <summary>Finds all endpoints of a host.</summary>
    /// <param name="host">
    /// An IPv4 address of four decimal parts, an IPv6 address with or without a scope (<c>fe80::1%eth0</c>), or a host name. Names beyond
    /// ASCII go through IDNA. A final dot means that the name is complete and no search suffix applies.
    /// </param>
    /// <param name="port">The port, 0 to 65535, that every endpoint of the result carries.</param>
    /// <param name="family">
    /// <see cref="AddressFamily.InterNetwork"/> or <see cref="AddressFamily.InterNetworkV6"/> to ask for addresses of that family only.
    /// Defaults to <see cref="AddressFamily.Unspecified"/>: both.
    /// </param>
    /// <param name="cancellationToken">Ends the call; see the implementation for how soon.</param>
    /// <returns>
    /// At least one endpoint, the best first, no two alike. The call resumes on the caller's scheduler: on its loop, if made on one.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="host"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="port"/> is no port, or <paramref name="family"/> none of the three named above.
    /// </exception>
    /// <exception cref="NameResolutionException">There is no endpoint, or none could be found out; the reason says which.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; it is the one the exception carries.</exception>
    /// <exception cref="ObjectDisposedException">The resolver was disposed before or during the call.</exception>
    ValueTask<NameResolution> ResolveAsync(
        string host,
        int port,
        AddressFamily family = AddressFamily.Unspecified,
        CancellationToken cancellationToken = default);
}
