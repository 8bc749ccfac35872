using LoopBridge.Loops;

namespace LoopBridge.Bridge;

/// <summary>
/// Ends the run of a loop after one turn with its poll. If that may wait, it is the first turn in which the reactor had something to do, or
/// in which the time is over.
/// </summary>
internal sealed class ReactorIteration(IEventLoop loop, TimeSpan wait)
{
    private static readonly Action<object?> PollOnceAction = static iteration => ((ReactorIteration)iteration!).PollOnce();
    private static readonly Action<object?> StopAction = static iteration => ((ReactorIteration)iteration!).Stop();

    private LoopTimeout? _timeout;
    private bool _ending;
    private bool _over;

    /// <summary>Before the run.</summary>
    internal void Begin()
    {
        if (wait == TimeSpan.Zero)
        {
            OnServed();
        }
        else if (wait > TimeSpan.Zero)
        {
            _timeout = loop.CallLater(wait, StopAction, this);
        }
    }

    internal void OnServed()
    {
        if (!_ending)
        {
            _ending = true;
            loop.CallBeforePoll(PollOnceAction, this);
        }
    }

    /// <summary>After the run, however it ended: what still waits on the loop must not end the next one.</summary>
    internal void End()
    {
        _over = true;
        if (_timeout is not null)
        {
            loop.RemoveTimeout(_timeout);
        }
    }

    // One that is asked for here is served in the next turn, and the poll in between does not wait.
    private void PollOnce()
    {
        if (!_over)
        {
            loop.CallBeforePoll(StopAction, this);
        }
    }

    private void Stop()
    {
        if (!_over)
        {
            loop.Stop();
        }
    }
}
