namespace LoopBridge.Loops;

/// <summary>
/// The loop that belongs to the calling thread: the one that runs it now, or else the one that was made current there. Descends from
/// Tornado's <c>IOLoop.current</c>.
/// </summary>
/// <remarks>
/// A loop runs as the current one: code that its callbacks call finds it here without having it passed. What was current before is so
/// again when the run ends, in whatever way. A loop that does not run can be current as well, for programs that make one loop and have
/// libraries find it (<see cref="EventLoopOptions.MakeCurrent"/>); ask <see cref="IEventLoop.IsOnLoopThread"/> where that matters.
/// </remarks>
public static class CurrentLoop
{
    [ThreadStatic]
    private static LoopSlot? _slot;

    /// <summary>The loop of the calling thread; if there is none, the <see cref="DefaultLoop"/> if that exists, or null.</summary>
    public static IEventLoop? Value => _slot?.Loop ?? DefaultLoop.Existing;

    private static LoopSlot Slot => _slot ??= new LoopSlot();

    /// <summary>As <see cref="Value"/>, but makes the <see cref="DefaultLoop"/> rather than give null.</summary>
    public static IEventLoop Require() => _slot?.Loop ?? DefaultLoop.Instance;

    /// <summary>
    /// Makes <paramref name="loop"/> the current one of the calling thread in place of what was, until <see cref="Clear"/> or the end of
    /// the run that this is part of.
    /// </summary>
    public static void Set(IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        Slot.Loop = loop;
    }

    /// <summary>Leaves the calling thread without a loop of its own. Harmless when it has none.</summary>
    public static void Clear() => _slot?.Loop = null;

    /// <summary>
    /// Makes <paramref name="loop"/> current until the end of the scope: for one run, or for one dispatch of an embedded loop.
    /// </summary>
    /// <remarks>
    /// Loops in layers need no order among them: whichever of them calls user code enters for that call, so that each one's users find
    /// their own.
    /// </remarks>
    internal static LoopRun Enter(IEventLoop loop)
    {
        LoopSlot slot = Slot;
        IEventLoop? previous = slot.Loop;
        slot.Loop = loop;
        return new LoopRun(slot, previous);
    }

    /// <summary>Leaves the calling thread without a loop of its own until the end of the scope.</summary>
    internal static LoopRun Leave()
    {
        LoopSlot slot = Slot;
        IEventLoop? previous = slot.Loop;
        slot.Loop = null;
        return new LoopRun(slot, previous);
    }

    /// <summary>
    /// Refuses what <see cref="EventLoopOptions.MakeCurrent"/> asks for before anything is made that would have to be undone.
    /// </summary>
    internal static void ThrowIfTaken(bool? makeCurrent)
    {
        if (makeCurrent == true && _slot?.Loop is not null)
        {
            throw new InvalidOperationException(
                "This thread has a current loop already: use that one, or make this one with MakeCurrent = false.");
        }
    }

    /// <summary>Gives a new loop the place it asked for. Null if it got none.</summary>
    internal static LoopSlot? Claim(IEventLoop loop, bool? makeCurrent)
    {
        if (makeCurrent == false || _slot?.Loop is not null)
        {
            return null;
        }

        Slot.Loop = loop;
        return _slot;
    }

    /// <summary>A loop is closed: neither the thread that made it nor the one that closes it keeps it.</summary>
    internal static void Forget(IEventLoop loop, LoopSlot? claimed)
    {
        claimed?.Release(loop);
        _slot?.Release(loop);
        DefaultLoop.Forget(loop);
    }
}

/// <summary>Where one thread keeps its loop, so that another thread that closes the loop can take it out.</summary>
internal sealed class LoopSlot
{
    private IEventLoop? _loop;

    internal IEventLoop? Loop
    {
        get => Volatile.Read(ref _loop);
        set => Volatile.Write(ref _loop, value);
    }

    internal void Release(IEventLoop loop) => Interlocked.CompareExchange(ref _loop, null, loop);
}

/// <summary>The time for which a loop is current. Its end puts back what was.</summary>
internal readonly struct LoopRun(LoopSlot slot, IEventLoop? previous) : IDisposable
{
    public void Dispose() => slot.Loop = previous;
}
