using System.Diagnostics;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>
/// A flag that asynchronous code of a loop waits for: while it is set, nobody waits. Descends from Tornado's <c>locks.Event</c>, whose
/// name means something else in .NET.
/// </summary>
/// <remarks><inheritdoc cref="LoopCondition" path="/remarks/node()" /></remarks>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class LoopEventFlag
{
    private readonly IEventLoop _loop;
    private readonly WaitLine<bool> _line;

    /// <summary>Makes a flag that is not set.</summary>
    /// <param name="loop">The loop it belongs to.</param>
    public LoopEventFlag(IEventLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        _loop = loop;
        _line = new WaitLine<bool>(loop, "a flag to be set");
    }

    /// <summary>Whether it is set.</summary>
    public bool IsSet { get; private set; }

    /// <summary>How many wait.</summary>
    public int Waiting => _line.Count;

    /// <summary>Sets the flag: everybody who waits now goes on, even if it is cleared right after. Harmless when repeated.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public void Set()
    {
        LoopAffinity.Verify(_loop, nameof(LoopEventFlag));
        IsSet = true;
        while (_line.TakeFirst() is { } waiter)
        {
            waiter.Succeed(true);
        }
    }

    /// <summary>Takes the flag back: whoever comes from now on waits for the next <see cref="Set"/>.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public void Clear()
    {
        LoopAffinity.Verify(_loop, nameof(LoopEventFlag));
        IsSet = false;
    }

    /// <summary>Waits until the flag is set; while it is, goes on at once, and nothing is allocated.</summary>
    /// <param name="timeout">
    /// How long to wait at most, by the loop's clock. Null, the default, and <see cref="Timeout.InfiniteTimeSpan"/> set no limit; any
    /// other negative span is over already.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, also from another thread.</param>
    /// <exception cref="TimeoutException">The time was over first.</exception>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    public ValueTask WaitAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        LoopAffinity.Verify(_loop, nameof(LoopEventFlag));
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return IsSet ? ValueTask.CompletedTask : _line.Join(timeout, cancellationToken).End;
    }

    /// <summary>Its state, for people; the form may change.</summary>
    public override string ToString() => $"{nameof(LoopEventFlag)}: {(IsSet ? "set" : "clear")}, {Waiting} waiting";
}
