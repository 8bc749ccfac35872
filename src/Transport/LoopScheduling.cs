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

    /// <summary>
    /// On the connection's loop, which goes on without it when it stays too long there: a handler may block, and holds up neither the
    /// loop's other connections nor the thread pool. A connection whose code has done so runs on worker threads until it behaves, and after
    /// several of them within a few seconds so do the endpoint's new connections at first.
    /// </summary>
    Adaptive,
}
