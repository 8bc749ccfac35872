namespace LoopBridge.Sockets;

/// <summary>How a listening socket is made.</summary>
internal sealed class ListenSettings
{
    /// <summary>Kestrel's default.</summary>
    internal const int DefaultBacklog = 512;

    internal int Backlog { get; init; } = DefaultBacklog;

    /// <summary>Several processes, or several listeners, on one port: the kernel spreads the connections.</summary>
    internal bool ReusePort { get; init; }

    /// <summary>Send small segments at once on accepted TCP connections.</summary>
    internal bool NoDelay { get; init; } = true;
}
