namespace LoopBridge.Resolvers;

/// <summary>Where the endpoints of a <see cref="NameResolution"/> came from.</summary>
public enum NameResolutionSource
{
    /// <summary>The name itself: an IP address, or <c>localhost</c> or a name below it (RFC 6761). Nobody was asked.</summary>
    Literal,

    /// <summary>The hosts file.</summary>
    Hosts,

    /// <summary>The resolver's cache, within the time to live.</summary>
    Cache,

    /// <summary>The resolver's cache, past the time to live, because the servers failed to answer (RFC 8767).</summary>
    Stale,

    /// <summary>A DNS server.</summary>
    Dns,

    /// <summary>The operating system, which does not tell whom it asked.</summary>
    System,
}
