using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace LoopBridge.Deferreds;

/// <summary>
/// A result that will come, whatever its type: what every <see cref="Deferred{T}"/> can do without knowing it, and the functions that
/// make Deferreds. Twisted: <c>twisted.internet.defer</c>.
/// </summary>
/// <remarks>
/// <para>A Deferred belongs to one event loop. It is not locked: make, fire, cancel and extend it on that loop's thread only. What comes
/// from elsewhere (a Task, a token) is brought there through the loop's <see cref="SynchronizationContext"/>.</para>
/// <para>Nothing is queued: handlers run inside the call that fires the Deferred, or inside the call that adds them when the result is
/// already there.</para>
/// </remarks>
[DebuggerDisplay("{ToString(),nq}")]
public abstract partial class Deferred
{
    private State _state;
    private int _pauses;
    private readonly DebugInfo? _debug;

    private protected Deferred()
    {
        if (Debugging)
            _debug = new DebugInfo();
    }

    [Flags]
    private enum State : byte
    {
        None = 0,

        /// <summary>Fired, by a producer or by a cancellation.</summary>
        Fired = 1,

        /// <summary>One of its handlers is on the stack.</summary>
        Running = 2,

        /// <summary>Cancelled without a canceller: the producer, which knows nothing of that, may fire once in vain (R-DEF-15).</summary>
        AbsorbsOneFiring = 4,

        /// <summary>Cancelling asks and leaves the outcome to whoever was asked (R-DEF-29).</summary>
        CancelOnlyAsks = 8,

        /// <summary>Its failure was given to an awaiter, so nobody needs to hear of it again.</summary>
        Observed = 16,

        /// <summary>It is the outcome of an async method.</summary>
        Routine = 32,

        /// <summary>Cancelled while its method runs, between two awaits: the request is for what the method awaits next.</summary>
        CancelsNextAwait = 64,
    }

    /// <summary>Whether it has been fired or cancelled. Its result may still be awaited elsewhere; see <see cref="HasResult"/>.</summary>
    public bool IsFired => Is(State.Fired);

    /// <summary>
    /// Whether a result is at hand: fired, not paused, not waiting for a Deferred that a handler returned, and no handler left to run.
    /// A handler added now runs at once, and an <see langword="await"/> goes on without suspending.
    /// </summary>
    public bool HasResult => IsSettled && !Is(State.Running) && !HasLinks;

    /// <summary>Whether <see cref="Pause"/> was called more often than <see cref="Unpause"/>.</summary>
    public bool IsPaused => _pauses > 0;

    /// <summary>
    /// The Deferred it waits for: before firing the one it continues or was chained to, after it the one that a handler returned.
    /// </summary>
    internal Deferred? Upstream { get; private protected set; }

    private protected abstract string TypeName { get; }

    /// <summary>Fired and neither paused nor waiting: what is stored is a result.</summary>
    internal bool IsSettled => Is(State.Fired) && Upstream is null && _pauses == 0;

    private protected bool IsObserved
    {
        get => Is(State.Observed);
        set => Set(State.Observed, value);
    }

    private protected bool IsRunning
    {
        get => Is(State.Running);
        set => Set(State.Running, value);
    }

    private protected bool CancelOnlyAsks
    {
        get => Is(State.CancelOnlyAsks);
        set => Set(State.CancelOnlyAsks, value);
    }

    private protected abstract bool HasLinks { get; }

    /// <summary>Whether <see cref="Upstream"/> is part of the same chain, so that a cancellation belongs to it.</summary>
    private protected abstract bool CancelsUpstream { get; }

    private string Name => $"{TypeName}@{RuntimeHelpers.GetHashCode(this):x}";

    private protected abstract string Describe();

    /// <summary>Holds the result back from handlers that have not run. Counted: undo it with as many <see cref="Unpause"/>.</summary>
    public void Pause() => _pauses++;

    /// <summary>Undoes one <see cref="Pause"/>; the last one lets the waiting handlers run, inside this call.</summary>
    /// <exception cref="InvalidOperationException">It is not paused.</exception>
    public void Unpause()
    {
        if (_pauses == 0)
            throw new InvalidOperationException("This Deferred is not paused.");

        _pauses--;
        RunChain();
    }

    /// <summary>Fires with a failure. Handlers run inside this call.</summary>
    /// <param name="error">The failure.</param>
    /// <exception cref="ArgumentNullException"><paramref name="error"/> is null.</exception>
    /// <exception cref="AlreadyCalledException">
    /// It has been fired before. One firing after a cancellation is ignored if there was no canceller to stop the producer.
    /// </exception>
    public void Errback(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (!BeginFiring())
            return;

        StoreFailure(error);
        RunChain();
    }

    /// <summary>
    /// Says which Deferred this is and its state: not fired, its result, its failure, or the Deferred it waits for.
    /// </summary>
    /// <returns>A line for people; its form may change.</returns>
    public override string ToString()
    {
        string state = Upstream is { } upstream ? $"waiting on {upstream.Name}"
            : !IsFired ? "not fired"
            : IsPaused ? $"paused, {Describe()}"
            : Describe();
        return $"{Name}: {state}";
    }

    internal static InvalidOperationException Circular()
        => new("A handler returned the Deferred it belongs to, or one that waits for it; waiting for itself it would never go on.");

    internal static InvalidOperationException ReturnedNull()
        => new("A handler returned null in place of a Deferred.");

    /// <summary>Marks it fired. False: this firing is the one that a cancellation absorbs.</summary>
    internal bool BeginFiring()
    {
        if (Is(State.Fired))
        {
            if (!Is(State.AbsorbsOneFiring))
                throw _debug is null ? new AlreadyCalledException() : new AlreadyCalledException(_debug.Describe());

            Set(State.AbsorbsOneFiring, false);
            return false;
        }

        Set(State.Fired, true);
        Upstream = null;
        _debug?.Fired();
        ReleaseCanceller();
        return true;
    }

    /// <summary>
    /// Whether <paramref name="other"/> is this one or waits for it. The search is bounded, so that building a long chain from its
    /// inner end stays linear: circles that people write by mistake are short.
    /// </summary>
    private protected bool IsAwaitedBy(Deferred other)
    {
        const int Bound = 64;
        Deferred? current = other;
        for (int i = 0; i < Bound && current is not null; i++)
        {
            if (ReferenceEquals(current, this))
                return true;
            current = current.Upstream;
        }

        return false;
    }

    /// <summary>Runs this chain, and the chains that get their result from it, as far as results go.</summary>
    private protected void RunChain()
    {
        if (Is(State.Running))
            return;

        // Whoever took the result goes first (R-DEF-06). Its giver is remembered only if it has handlers left, which is rare: so neither
        // stack nor memory grows with the number of Deferreds that wait for each other (R-DEF-08).
        Stack<Deferred>? unfinished = null;
        Deferred? current = this;
        while (current is not null)
        {
            if (current.RunLinks() is { } taker)
            {
                if (current.HasLinks)
                    (unfinished ??= new()).Push(current);
                current = taker;
            }
            else
            {
                current = unfinished is { Count: > 0 } ? unfinished.Pop() : null;
            }
        }
    }

    /// <summary>Runs links until none is left, none may run, or one gave its result to the Deferred that is returned.</summary>
    private protected abstract Deferred? RunLinks();

    private protected abstract void StoreFailure(Exception error);

    private protected abstract void ReleaseCanceller();

    private bool Is(State state) => (_state & state) != 0;

    private void Set(State state, bool on) => _state = on ? _state | state : _state & ~state;
}
