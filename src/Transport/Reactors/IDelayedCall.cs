namespace LoopBridge.Reactors;

/// <summary>A call that waits for its time. Descends from Twisted's <c>IDelayedCall</c>. Reactor thread.</summary>
/// <remarks>Ordered by <see cref="Time"/>; equal is only a call to itself. Its text names what it calls, and its state.</remarks>
public interface IDelayedCall : IComparable<IDelayedCall>
{
    /// <summary>When it is due, or was, on the clock of its reactor.</summary>
    TimeSpan Time { get; }

    /// <summary>Whether it is still to come: neither run, nor running, nor cancelled.</summary>
    bool Active { get; }

    /// <summary>Takes it back. It will not run, even if it is due in this very turn, and what it refers to is released at once.</summary>
    /// <exception cref="DelayedCallAlreadyCalledException">It ran, or is running.</exception>
    /// <exception cref="DelayedCallAlreadyCancelledException">It was cancelled before.</exception>
    void Cancel();

    /// <summary>Moves it, later or earlier, to <paramref name="delay"/> from now. A negative delay counts as none.</summary>
    /// <inheritdoc cref="Cancel" path="/exception"/>
    void Reset(TimeSpan delay);

    /// <summary>
    /// Moves its deadline by <paramref name="delay"/>; a negative one makes it earlier. A deadline in the past runs in the next turn.
    /// </summary>
    /// <inheritdoc cref="Cancel" path="/exception"/>
    void Delay(TimeSpan delay);

    int IComparable<IDelayedCall>.CompareTo(IDelayedCall? other) => other is null ? 1 : Time.CompareTo(other.Time);
}
