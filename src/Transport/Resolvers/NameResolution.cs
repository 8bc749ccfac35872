using System.Net;

namespace LoopBridge.Resolvers;

/// <summary>
/// The endpoints a name resolved to. Belongs to the caller alone: no two calls share one, nor an endpoint or address in it.
/// </summary>
public sealed class NameResolution
{
    /// <summary>Makes a result; for those who write a resolver of their own.</summary>
    /// <param name="endPoints">At least one endpoint, the best first. The list is copied and repetitions are left out.</param>
    /// <param name="source">Where they came from.</param>
    /// <param name="ttl">How long they may be kept, or null if nobody said.</param>
    /// <exception cref="ArgumentNullException"><paramref name="endPoints"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// <paramref name="endPoints"/> is empty; to have found nothing is a <see cref="NameResolutionException"/>.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="ttl"/> is negative.</exception>
    public NameResolution(IEnumerable<IPEndPoint> endPoints, NameResolutionSource source, TimeSpan? ttl = null)
    {
        ArgumentNullException.ThrowIfNull(endPoints);
        if (ttl is { } time)
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(ttl));
        EndPoints = [.. endPoints.Distinct()];
        if (EndPoints.Count == 0)
            throw new ArgumentException("A result needs at least one endpoint.", nameof(endPoints));
        Source = source;
        Ttl = ttl;
    }

    /// <summary>
    /// All endpoints, the best first, no two alike, never empty; each with the port asked for and, where it has one, its scope id.
    /// </summary>
    public IReadOnlyList<IPEndPoint> EndPoints { get; }

    /// <summary>How long the answer may be kept from now on. Null where it is not known: the operating system does not tell.</summary>
    public TimeSpan? Ttl { get; }

    /// <summary>Where the endpoints came from.</summary>
    public NameResolutionSource Source { get; }

    /// <summary>
    /// One caller's copy of addresses that other callers may be given too: an <see cref="IPAddress"/> lets anybody set its scope id.
    /// </summary>
    internal static NameResolution Copy(ReadOnlySpan<IPAddress> addresses, int port, NameResolutionSource source, TimeSpan? ttl = null)
    {
        IPEndPoint[] endPoints = new IPEndPoint[addresses.Length];
        Span<byte> bytes = stackalloc byte[16]; // an IPv6 address
        for (int i = 0; i < addresses.Length; i++)
        {
            IPAddress address = addresses[i];
            address.TryWriteBytes(bytes, out int length);
            endPoints[i] = new IPEndPoint(length == 16 ? new IPAddress(bytes, address.ScopeId) : new IPAddress(bytes[..length]), port);
        }

        return new NameResolution(endPoints, source, ttl);
    }
}
