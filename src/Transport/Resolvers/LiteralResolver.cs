using System.Net.Sockets;

namespace LoopBridge.Resolvers;

/// <summary>
/// Finds what needs no asking, and nothing else: addresses that are written out, and <c>localhost</c>. For those who must never ask the
/// network or the system for a name. Any thread; never blocks.
/// </summary>
public sealed class LiteralResolver : INameResolver
{
    private LiteralResolver()
    {
    }

    /// <summary>The one there is.</summary>
    public static LiteralResolver Instance { get; } = new();

    /// <inheritdoc />
    /// <exception cref="NameResolutionException">
    /// The host is a name (<see cref="NameResolutionFailure.NoServers"/>), or neither name nor address, or of another family.
    /// </exception>
    public ValueTask<NameResolution> ResolveAsync(
        string host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
    {
        LocalAnswer.CheckArguments(host, port, family);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<NameResolution>(cancellationToken);
        }

        try
        {
            return LocalAnswer.Find(host, port, family, out _) is { } found
                ? ValueTask.FromResult(found)
                : ValueTask.FromException<NameResolution>(new NameResolutionException(NameResolutionFailure.NoServers, host));
        }
        catch (NameResolutionException e)
        {
            return ValueTask.FromException<NameResolution>(e); // the answer of those who wait
        }
    }
}
