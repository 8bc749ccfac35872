namespace LoopBridge;

/// <summary>
/// Where the users of a connection's pipes run: HTTP, TLS, connection middleware. Reactor protocols and loop handlers always run on their
/// loop.
/// </summary>
public enum LoopScheduling
{
    /// <summary>On the connection's loop. Fastest; a handler that blocks stalls every connection of that loop.</summary>
    Inline,

    /// <summary>On the thread pool, like stock Kestrel. A handler may block.</summary>
    ThreadPool,
}
