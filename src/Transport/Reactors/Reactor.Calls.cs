using LoopBridge.Loops;

namespace LoopBridge.Reactors;

public sealed partial class Reactor
{
    private static readonly Action<object?> FireAction = static call => ((DelayedCall)call!).Fire();

    bool IPostTarget.Post(SendOrPostCallback callback, object? state) => Enqueue(new LoopWorkItem(callback, state, null));

    internal override bool Post(Action<object?> callback, object? state) => Enqueue(new LoopWorkItem(callback, state, null));

    internal override LoopTimeout Arm(DelayedCall call)
    {
        ThrowIfOffThread();
        var timer = new LoopTimer(FireAction, call, ExecutionContext.Capture());
        _timers.Add(timer, call.Time.Ticks);
        return timer;
    }

    internal override void Disarm(LoopTimeout timeout)
    {
        ThrowIfOffThread();
        var timer = (LoopTimer)timeout;
        _timers.Remove(timer);
        timer.Clear();
    }

    private protected override bool PostCall(Action<object?> call, object? state)
        => Enqueue(new LoopWorkItem(call, state, ExecutionContext.Capture()));

    private protected override void AddBeforePoll(Action<object?> call, object? state)
    {
        ThrowIfOffThread();
        _beforePoll.Add(new LoopWorkItem(call, state, ExecutionContext.Capture()));
    }

    private bool Enqueue(in LoopWorkItem call)
    {
        if (IsDisposed)
        {
            return false;
        }

        _calls.Enqueue(call);
        _sleep.WakeForQueued();
        return true;
    }

    private void DropCalls()
    {
        while (_calls.TryDequeue(out LoopWorkItem dropped))
        {
            dropped.Drop();
        }

        _beforePoll.Drop();
        _timers.Clear();
    }
}
