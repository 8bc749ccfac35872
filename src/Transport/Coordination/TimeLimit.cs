using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>A Task against the clock. Which of the two came first is decided on the loop, so that nothing needs a lock.</summary>
internal sealed class TimeLimit<T>
{
    // Not asynchronous: it ends in a callback or timeout of the loop, where awaiting code of the loop may go on at once.
    private readonly TaskCompletionSource<T> _outcome = new();
    private readonly IEventLoop _loop;
    private readonly Task<T> _task;
    private readonly TimeSpan _limit;
    private readonly IReadOnlyCollection<Type>? _quiet;
    private readonly LoopTimeout _timer;

    internal TimeLimit(IEventLoop loop, Task<T> task, TimeSpan limit, IReadOnlyCollection<Type>? quiet)
    {
        _loop = loop;
        _task = task;
        _limit = limit;
        _quiet = quiet;
        _timer = loop.CallLater(limit, static self => ((TimeLimit<T>)self!).OnTimeout(), this);
        task.ContinueWith(
            static (_, self) => ((TimeLimit<T>)self!).ComeHome(),
            this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    internal Task<T> Outcome => _outcome.Task;

    // Any thread. A closed loop has no clock any more, and nobody to be told of what comes late.
    private void ComeHome()
    {
        if (!_loop.AddCallback(static self => ((TimeLimit<T>)self!).OnEnded(), this))
        {
            _outcome.TrySetFromTask(_task);
        }
    }

    private void OnEnded()
    {
        _loop.RemoveTimeout(_timer);
        if (!_outcome.TrySetFromTask(_task))
        {
            QuietTypes.ReportUnlessQuiet(_loop, _task, _quiet); // too late: whoever waited has gone on
        }
    }

    private void OnTimeout() => _outcome.TrySetException(new TimeoutException($"Waited {_limit} in vain for a task, which goes on."));
}
