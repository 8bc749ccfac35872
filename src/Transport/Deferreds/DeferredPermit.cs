namespace LoopBridge.Deferreds;

/// <summary>
/// The right to go on that a <see cref="DeferredLock"/> or a <see cref="DeferredSemaphore"/> gave; disposing of it gives it back.
/// </summary>
/// <remarks>Belongs to the loop's thread. It does not give itself back when it is forgotten.</remarks>
public sealed class DeferredPermit : IDisposable
{
    private DeferredPermits? _owner;

    internal DeferredPermit(DeferredPermits owner) => _owner = owner;

    /// <summary>
    /// Gives it back. Whoever has waited longest gets it and goes on inside this call. Harmless when repeated.
    /// </summary>
    public void Dispose()
    {
        DeferredPermits? owner = _owner;
        _owner = null;
        owner?.Release();
    }
}
