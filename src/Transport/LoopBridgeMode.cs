namespace LoopBridge;

/// <summary>
/// Which engine is native, and which is built on it. Both serve the same; the README tells how they differ and which to choose.
/// </summary>
public enum LoopBridgeMode
{
    /// <summary>Native loops, with a reactor on each. Connections work on the driver itself.</summary>
    ReactorOnLoop,

    /// <summary>
    /// Native reactors, with a loop on each. Calls and descriptors of the reactor work on the driver itself, connections through the loop.
    /// </summary>
    LoopOnReactor,
}
