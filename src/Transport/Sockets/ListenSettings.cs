namespace LoopBridge.Sockets;

/// <summary>How a listening socket is made.</summary>
internal sealed class ListenSettings
{
    /// <summary>Kestrel's default.</summary>
    internal const int DefaultBacklog = 512;

    internal int Backlog { get; init; } = DefaultBacklog;

    /// <summary>Several processes, or several listeners, on one port: the kernel spreads the connections.</summary>
    internal bool ReusePort { get; init; }

    /// <summary>
    /// Keeps <c>[::]</c> to IPv6, so that IPv4 can have a socket of its own on the same port. Otherwise it means both, as Kestrel's
    /// <c>ListenAnyIP</c> does.
    /// </summary>
    internal bool IPv6Only { get; init; }

    /// <summary>Send small segments at once on accepted TCP connections.</summary>
    internal bool NoDelay { get; init; } = true;

    /// <summary>
    /// Closes waiting connections when the process has hardly any descriptors for them, instead of leaving them in the queue until it has.
    /// </summary>
    internal bool TurnsAwayWhenExhausted { get; init; }
}
