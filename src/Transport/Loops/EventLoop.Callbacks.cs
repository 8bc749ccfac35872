using System.Runtime.CompilerServices;

namespace LoopBridge.Loops;

public sealed partial class EventLoop
{
    /// <inheritdoc />
    public bool AddCallback(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Enqueue(new LoopWorkItem(callback, null, ExecutionContext.Capture()));
    }

    /// <inheritdoc />
    public bool AddCallback(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Enqueue(new LoopWorkItem(callback, state, ExecutionContext.Capture()));
    }

    /// <inheritdoc />
    [OverloadResolutionPriority(1)]
    public bool AddCallback(Func<Task> callback) => TaskCallback.Add(this, callback);

    /// <inheritdoc />
    public bool AddCallback(Func<ValueTask> callback) => TaskCallback.Add(this, callback);

    /// <inheritdoc />
    public void CallBeforePoll(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ObjectDisposedException.ThrowIf(_closed, this);
        ThrowIfOffThread();
        _beforePoll.Add(new LoopWorkItem(callback, state, ExecutionContext.Capture()));
    }

    void IEventLoop.AtTurnEnd(ILoopWork work) => _sends.Add(new LoopWorkItem(work, null, null));

    bool IEventLoop.Post(ILoopWork work) => Enqueue(new LoopWorkItem(work, null, null));

    bool IPostTarget.Post(SendOrPostCallback callback, object? state) => Enqueue(new LoopWorkItem(callback, state, null));

    /// <inheritdoc />
    public LoopTimeout CallAt(TimeSpan deadline, Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ObjectDisposedException.ThrowIf(_closed, this);
        ThrowIfOffThread();
        var timer = new LoopTimer(callback, state, ExecutionContext.Capture());
        _timers.Add(timer, deadline.Ticks);
        return timer;
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
        if (timeout is not LoopTimer timer)
        {
            throw new ArgumentException("The timeout belongs to a loop of another kind.", nameof(timeout));
        }

        ThrowIfOffThread();
        _timers.Remove(timer);
        timer.Clear();
    }

    private bool Enqueue(in LoopWorkItem item)
    {
        if (_closed)
        {
            return false;
        }

        _callbacks.Enqueue(item);
        _sleep.WakeForQueued();
        return true;
    }

    // What was aborted posts its last words; they run before the loop is gone, others that came in between are dropped with it.
    private void DrainForClose()
    {
        for (int pass = 0; pass < 2; pass++)
        {
            _sends.BeginPass();
            RunTurnEnd(_sends);
            int count = _callbacks.Count;
            while (count-- > 0 && _callbacks.TryDequeue(out LoopWorkItem item))
            {
                if (item.Source is not ILoopWork)
                {
                    item.Drop();
                    continue;
                }

                try
                {
                    item.Run(_carrier);
                }
                catch (Exception e)
                {
                    Report(e, item.Source); // a bug of ours; the rest is still to be closed
                }
            }
        }
    }
}
