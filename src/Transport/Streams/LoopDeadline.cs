using LoopBridge.Loops;

namespace LoopBridge.Streams;

/// <summary>
/// Fires a token when a time is over by the loop's clock, or when the caller's token does. Made and disposed of on the loop's thread.
/// </summary>
internal sealed class LoopDeadline : IDisposable
{
    private readonly IEventLoop _loop;
    private readonly CancellationTokenSource _source;
    private readonly LoopTimeout? _timer;

    /// <param name="loop">Times it.</param>
    /// <param name="limit">How long; null for no limit.</param>
    /// <param name="cancellationToken">The caller's.</param>
    internal LoopDeadline(IEventLoop loop, TimeSpan? limit, CancellationToken cancellationToken)
    {
        _loop = loop;
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (limit is { } time)
        {
            _timer = loop.CallLater(time, static self => ((LoopDeadline)self!).Pass(), this);
        }
    }

    internal CancellationToken Token => _source.Token;

    /// <summary>Whether it was the time, and not the caller.</summary>
    internal bool HasPassed { get; private set; }

    public void Dispose()
    {
        if (_timer is not null)
        {
            _loop.RemoveTimeout(_timer);
        }

        _source.Dispose();
    }

    private void Pass()
    {
        HasPassed = !_source.IsCancellationRequested;
        _source.Cancel();
    }
}
