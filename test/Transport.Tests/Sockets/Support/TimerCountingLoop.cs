using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>A loop that knows how many of its timeouts have neither fired nor been removed.</summary>
internal sealed class TimerCountingLoop(IEventLoop inner) : ForwardingLoop(inner)
{
    private readonly HashSet<LoopTimeout> _pending = [];

    internal int PendingTimeouts => _pending.Count;

    public override LoopTimeout CallLater(TimeSpan delay, Action<object?> callback, object? state)
    {
        LoopTimeout? timeout = null;
        timeout = base.CallLater(delay, given =>
        {
            _pending.Remove(timeout!);
            callback(given);
        }, state);
        _pending.Add(timeout);
        return timeout;
    }

    public override void RemoveTimeout(LoopTimeout timeout)
    {
        _pending.Remove(timeout);
        base.RemoveTimeout(timeout);
    }
}
