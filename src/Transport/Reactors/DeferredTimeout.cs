using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

/// <summary>One time limit of one Deferred (R-DEF-25).</summary>
internal sealed class DeferredTimeout<T>(
    Deferred<T> deferred, TimeSpan timeout, Func<DeferredResult<T>, TimeSpan, DeferredResult<T>>? onTimeout)
{
    private IDelayedCall? _call;
    private bool _isOver;

    internal void Begin(IReactorTime clock)
    {
        _call = clock.CallLater(timeout, static limit => ((DeferredTimeout<T>)limit!).Expire(), this);
        deferred.AddBoth(Settle);
    }

    private void Expire()
    {
        _isOver = true;
        deferred.Cancel();
    }

    private DeferredResult<T> Settle(DeferredResult<T> result)
    {
        if (!_isOver)
        {
            if (_call!.Active)
            {
                _call.Cancel();
            }

            return result;
        }

        if (onTimeout is not null)
        {
            return onTimeout(result, timeout);
        }

        // Only the cancellation becomes a timeout: what a handler or the canceller made of it is meant as it is.
        return result.Error is OperationCanceledException cancelled
            ? DeferredResult.Failure<T>(new TimeoutException($"The Deferred was given {timeout}, and had no result by then.", cancelled))
            : result;
    }
}
