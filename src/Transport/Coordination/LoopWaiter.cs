using System.Threading.Tasks.Sources;
using LoopBridge.Loops;

namespace LoopBridge.Coordination;

/// <summary>One suspended call: its place in a line, its limits and its outcome, in one object.</summary>
/// <remarks>
/// The outcome is decided once, inside the call that brings it about; whoever awaits goes on later, through the loop, in the order of the
/// decisions. Between the two nothing can change it: a release that came before the deadline has come in time. Everything but the
/// cancellation belongs to the loop's thread.
/// </remarks>
internal class LoopWaiter<T>(IEventLoop loop) : IValueTaskSource<T>, IValueTaskSource, ILoopWork
{
    private ManualResetValueTaskSourceCore<T> _core;
    private CancellationTokenRegistration _registration;
    private CancellationToken _token;
    private LoopTimeout? _timer;
    private TimeSpan _limit;
    private T? _result;
    private Exception? _failure;
    private bool _isDecided;

    internal ValueTask<T> Outcome => new(this, _core.Version);

    internal ValueTask End => new(this, _core.Version);

    /// <summary>The line it stands in, until the outcome is decided.</summary>
    internal WaitLine<T>? Line { get; set; }

    internal LoopWaiter<T>? Previous { get; set; }

    internal LoopWaiter<T>? Next { get; set; }

    /// <summary>Arms its limits. At most once, before anything is decided.</summary>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    internal void Limit(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (timeout is { } limit && limit != Timeout.InfiniteTimeSpan)
        {
            _limit = limit;
            _timer = loop.CallLater(limit, static self => ((LoopWaiter<T>)self!).OnTimeout(), this);
        }

        if (cancellationToken.CanBeCanceled)
        {
            _token = cancellationToken;
            _registration = cancellationToken.UnsafeRegister(static self => ((LoopWaiter<T>)self!).RequestCancel(), this);
        }
    }

    internal void Succeed(T result)
    {
        _result = result;
        Decide();
    }

    internal void Fail(Exception failure)
    {
        _failure = failure;
        Decide();
    }

    /// <summary>
    /// True, and it is decided, if its token has fired: a cancelled call takes nothing, however late the loop hears of it.
    /// </summary>
    internal bool CancelIfRequested()
    {
        if (!_token.IsCancellationRequested)
        {
            return false;
        }

        Fail(new OperationCanceledException(_token));
        return true;
    }

    public void Run() => LoopResumption.Run(loop, static self => self.Signal(), this);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public T GetResult(short token) => _core.GetResult(token);

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        // The signal comes through the loop already; a post to the same loop would cost another turn and win nothing.
        if (SynchronizationContext.Current == loop.SynchronizationContext)
        {
            flags &= ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext;
        }

        _core.OnCompleted(continuation, state, token, flags);
    }

    /// <summary>The deadline has come first.</summary>
    protected virtual void OnTimeout() => Fail(new TimeoutException($"Waited {_limit} in vain for {Line!.Subject}."));

    // Any thread, also inside a call of the user's on the loop's own.
    private void RequestCancel() => loop.AddCallback(static self =>
    {
        var waiter = (LoopWaiter<T>)self!;
        if (!waiter._isDecided)
        {
            waiter.CancelIfRequested();
        }
    }, this);

    private void Decide()
    {
        _isDecided = true;
        Line?.Remove(this);

        // Not disposed: a callback that runs on another thread just now only posts a question, and is not worth waiting for.
        _registration.Unregister();
        if (_timer is { } timer)
        {
            _timer = null;
            loop.RemoveTimeout(timer);
        }

        loop.Post(this);
    }

    private void Signal()
    {
        if (_failure is null)
        {
            _core.SetResult(_result!);
        }
        else
        {
            _core.SetException(_failure);
        }
    }
}
