using LoopBridge.Drivers;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Bridge;

/// <remarks>
/// Each timeout is one delayed call of the reactor, with the same deadline on the same clock. So the reactor's order is the loop's, and what
/// is due in a turn was settled at its beginning.
/// </remarks>
public sealed partial class LoopOnReactor
{
    private static readonly Action<object?> FireAction = static timeout => ((ReactorTimeout)timeout!).OnDue();

    private readonly HashSet<ReactorTimeout> _timeouts = [];

    /// <inheritdoc />
    public LoopTimeout CallAt(TimeSpan deadline, Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ObjectDisposedException.ThrowIf(_closed, this);
        ThrowIfOffThread();
        var timeout = new ReactorTimeout(this, callback, state, ContextOfCaller()) { DeadlineTicks = deadline.Ticks };
        timeout.Call = Reactor.CallAt(deadline, FireAction, timeout);
        _timeouts.Add(timeout);
        return timeout;
    }

    /// <inheritdoc />
    public LoopTimeout CallLater(TimeSpan delay, Action<object?> callback, object? state)
    {
        long now = Time.Ticks;
        long ticks = Math.Max(delay.Ticks, 0);

        // "For ever" plus now must stay for ever, not wrap into the past. The clock may stand below zero.
        return CallAt(new TimeSpan(now > 0 && ticks > long.MaxValue - now ? long.MaxValue : now + ticks), callback, state);
    }

    /// <inheritdoc />
    public void RemoveTimeout(LoopTimeout timeout)
    {
        ArgumentNullException.ThrowIfNull(timeout);
        if (timeout is not ReactorTimeout own || own.Loop != this)
        {
            throw new ArgumentException("The timeout belongs to another loop.", nameof(timeout));
        }

        ThrowIfOffThread();
        Drop(own);
    }

    private void Drop(ReactorTimeout timeout)
    {
        // A reactor refuses to cancel what has run, or what its disposal took back.
        if (timeout.Call is { Active: true } call)
        {
            call.Cancel();
        }

        timeout.Clear();
        _timeouts.Remove(timeout);
    }

    private void DropTimeouts()
    {
        foreach (ReactorTimeout timeout in _timeouts.ToArray())
        {
            Drop(timeout);
        }
    }

    private sealed class ReactorTimeout(LoopOnReactor loop, Action<object?> callback, object? state, ExecutionContext context)
        : LoopTimer(callback, state, context), IOnBehalf
    {
        object? IOnBehalf.Behalf => Source ?? loop._running;

        internal LoopOnReactor Loop => loop;

        internal IDelayedCall? Call { get; set; }

        internal void OnDue()
        {
            loop._timeouts.Remove(this);
            object? source = Source;
            loop.Begin(source, null);
            using var dispatch = new Dispatch(loop, loop.SynchronizationContext);
            try
            {
                Fire();
            }
            catch (Exception e)
            {
                loop._exceptions.Report(e, source); // user code: logged, and the loop goes on
            }

            loop.Begin(null, null);
        }
    }
}
