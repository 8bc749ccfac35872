namespace LoopBridge;

/// <summary>Which engine is underneath, and which is built on it.</summary>
public enum LoopBridgeMode
{
    /// <summary>Native loops, with a reactor on each.</summary>
    ReactorOnLoop,
}
