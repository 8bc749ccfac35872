namespace LoopBridge;

/// <summary>What becomes of a connection to an endpoint that has as many as it may have.</summary>
public enum LoopFullAction
{
    /// <summary>
    /// It waits in the kernel's queue until another one ends: the client is connected and not answered, and beyond the backlog clients
    /// wait for that. Nobody is refused, and the limit can be felt where a load balancer measures.
    /// </summary>
    Wait,

    /// <summary>
    /// It is accepted and closed at once, before anything is allocated for it, so that the client may try elsewhere. Counted by the meter
    /// <c>LoopBridge</c> as <c>loopbridge.listener.rejected</c>.
    /// </summary>
    Close,
}
