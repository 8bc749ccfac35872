using System.Diagnostics.CodeAnalysis;

namespace LoopBridge.Coordination;

/// <summary>
/// What <see cref="LoopLock.AcquireAsync"/> and <see cref="LoopSemaphore.AcquireAsync"/> give: disposing of it releases what was acquired,
/// once, whatever copies there are and however often they are disposed of. On the loop's thread only.
/// </summary>
/// <example><code>
/// using (await door.AcquireAsync())
/// {
///     await stream.WriteAsync(message); // nobody else writes in between
/// }
/// </code></example>
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "Nobody compares permits.")]
public readonly struct LoopPermit : IDisposable
{
    private readonly PermitScope? _scope;
    private readonly int _use;

    internal LoopPermit(PermitScope scope, int use)
    {
        _scope = scope;
        _use = use;
    }

    /// <summary>Releases it. Harmless when repeated, and for a permit that was never given.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public void Dispose() => _scope?.End(_use);
}

/// <summary>
/// One use after the other of one permit. The number tells a use from those before it, so that a late second disposal finds its own over
/// and does not end somebody else's.
/// </summary>
internal sealed class PermitScope(PermitPool pool)
{
    private int _use;

    internal LoopPermit Begin() => new(this, _use);

    internal void End(int use)
    {
        pool.VerifyAccess();
        if (use == _use)
        {
            _use++;
            pool.Recycle(this);
            pool.Release();
        }
    }
}
