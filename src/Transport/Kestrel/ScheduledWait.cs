using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Kestrel;

/// <summary>A wait of a connection's code, as those see it who run what comes after: the loop's thread, a worker, the thread pool.</summary>
internal abstract class ScheduledWait(ConnectionScheduler scheduler) : ILoopGuest, IThreadPoolWorkItem, IOnBehalf
{
    private bool _isTimed;

    protected ConnectionScheduler Scheduler => scheduler;

    /// <summary>Ends the wait: the code that waited runs on, within the call.</summary>
    internal abstract void Continue();

    /// <summary>Before it is queued: whether the run tells of the connection's conduct.</summary>
    internal void SetTimed() => _isTimed = true;

    object IOnBehalf.Behalf => scheduler.Connection;

    string? ILoopGuest.Origin => scheduler.Origin;

    void ILoopGuest.Run() => scheduler.RunAsGuest(this);

    void ILoopGuest.OnReturned() => scheduler.OnReturned();

    void ILoopGuest.OnOvertaken() => scheduler.OnOvertaken();

    void ILoopGuest.OnCrowded() => scheduler.OnCrowded();

    void IThreadPoolWorkItem.Execute()
    {
        if (!_isTimed)
        {
            Continue();
            return;
        }

        _isTimed = false; // first: the code may wait again, and be resumed elsewhere, before this call returns
        scheduler.RunTimed(this);
    }
}
