using System.Net;
using System.Net.Sockets;

namespace LoopBridge.Resolvers;

/// <summary>
/// Asks the operating system, blocking, for the addresses of a normalized name. Never throws for what can happen to a lookup.
/// </summary>
internal delegate LookupOutcome SystemLookup(string name, AddressFamily family);

/// <summary>
/// What a lookup found, free of who asked: callers that share it each make a result, or an exception, of their own.
/// </summary>
internal sealed class LookupOutcome
{
    private readonly NameResolutionFailure _reason;
    private readonly bool _isTransient;
    private readonly Exception? _inner;

    private LookupOutcome(IPAddress[] addresses) => Addresses = addresses;

    private LookupOutcome(NameResolutionFailure reason, bool isTransient, Exception? inner)
        => (Addresses, _reason, _isTransient, _inner) = ([], reason, isTransient, inner);

    /// <summary>Given to those who wait when the resolver is disposed.</summary>
    public static LookupOutcome Disposed { get; } = new([]);

    /// <summary>Empty if the lookup failed.</summary>
    public IPAddress[] Addresses { get; }

    public NameResolutionFailure? Failure => Addresses.Length == 0 ? _reason : null;

    /// <summary>Keeps the system's order, drops repetitions, and never lets through a family that was not asked for (D-03).</summary>
    public static LookupOutcome Found(IEnumerable<IPAddress> addresses, AddressFamily family)
    {
        IPAddress[] wanted = [.. addresses.Where(a => IsOf(family, a.AddressFamily)).Distinct()];
        return wanted.Length == 0 ? Failed(NameResolutionFailure.NoAddress) : new(wanted);
    }

    public static LookupOutcome Failed(NameResolutionFailure reason, bool isTransient = false, Exception? inner = null)
        => new(reason, isTransient, inner);

    /// <summary>One caller's result.</summary>
    /// <exception cref="NameResolutionException">The lookup failed.</exception>
    /// <exception cref="ObjectDisposedException">It ended with its resolver.</exception>
    public NameResolution ToResolution(string host, int port, INameResolver resolver)
    {
        ObjectDisposedException.ThrowIf(ReferenceEquals(this, Disposed), resolver);
        return Addresses.Length == 0
            ? throw new NameResolutionException(_reason, host, _isTransient, innerException: _inner)
            : NameResolution.Copy(Addresses, port, NameResolutionSource.System);
    }

    private static bool IsOf(AddressFamily wanted, AddressFamily family)
        => wanted == AddressFamily.Unspecified ? family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 : family == wanted;
}
