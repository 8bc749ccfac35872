namespace LoopBridge.Reactors;

/// <summary>The clock of a reactor and the calls that wait for it. Descends from Twisted's <c>IReactorTime</c>.</summary>
public interface IReactorTime
{
    /// <summary>The monotonic clock that delayed calls are measured by. Its zero is arbitrary. Any thread.</summary>
    TimeSpan Time { get; }

    /// <summary>
    /// Whether a delayed call keeps the stack that scheduled it, to tell it with the exception if the call throws. For the search for a
    /// bug: each call costs a stack trace. Defaults to false; calls made later heed it. Reactor thread.
    /// </summary>
    bool RecordSchedulingSites { get; set; }

    /// <summary>
    /// Runs <paramref name="call"/> once, in a later turn, when <see cref="Time"/> has reached now plus <paramref name="delay"/>. Equal
    /// deadlines run in the order in which they were scheduled or last moved.
    /// </summary>
    /// <param name="delay">Zero means the next turn. A time beyond the clock's range is accepted and never comes.</param>
    /// <param name="call">What to run.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="delay"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    IDelayedCall CallLater(TimeSpan delay, Action call);

    /// <inheritdoc cref="CallLater(TimeSpan, Action)"/>
    /// <param name="delay">Zero means the next turn. A time beyond the clock's range is accepted and never comes.</param>
    /// <param name="call">What to run.</param>
    /// <param name="state">Given to <paramref name="call"/>, so that it needs no closure.</param>
    IDelayedCall CallLater(TimeSpan delay, Action<object?> call, object? state);

    /// <summary>
    /// As <see cref="CallLater(TimeSpan, Action{object?}, object?)"/>, with the time itself: for one who keeps deadlines of his own on this
    /// clock, which two looks at the clock would move.
    /// </summary>
    /// <param name="time">When it is due, on <see cref="Time"/>. A time that is past is due in the next turn, before later ones.</param>
    /// <param name="call">What to run.</param>
    /// <param name="state">Given to <paramref name="call"/>, so that it needs no closure.</param>
    /// <exception cref="ObjectDisposedException">The reactor is disposed.</exception>
    IDelayedCall CallAt(TimeSpan time, Action<object?> call, object? state);

    /// <summary>
    /// A snapshot of this reactor's calls that were neither run nor cancelled. Timers of anybody else on the same loop are not among
    /// them.
    /// </summary>
    IReadOnlyList<IDelayedCall> GetDelayedCalls();
}
