namespace LoopBridge.Deferreds;

/// <summary>
/// One step of a chain. Links are the nodes of the list they stand in, so a handler costs this object and its delegate.
/// </summary>
internal abstract class Link<T>
{
    public Link<T>? Following;

    /// <summary>
    /// Looks at the owner's result and replaces it, or leaves it for the next link. What it throws becomes the result.
    /// </summary>
    /// <returns>
    /// Another Deferred that received its result here and whose links must run before the owner's next one; null if there is none. It is
    /// returned, not run, so that a chain of any length unwinds on one stack frame (R-DEF-08).
    /// </returns>
    public abstract Deferred? Run(Deferred<T> owner);
}
