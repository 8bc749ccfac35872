namespace LoopBridge;

/// <summary>
/// Which engine is native, and which is built on it. Everything is served in both: Kestrel, reactor protocols, loop handlers, the resolver.
/// </summary>
public enum LoopBridgeMode
{
    /// <summary>Native loops, with a reactor on each. The socket engine works on the driver itself.</summary>
    ReactorOnLoop,

    /// <summary>
    /// Native reactors, with a loop on each: callbacks run in the order of the reactor's turn, and the socket engine works through the
    /// loop's handlers.
    /// </summary>
    LoopOnReactor,
}
