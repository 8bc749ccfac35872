using System.Threading.Tasks.Sources;
using LoopBridge.Loops;

namespace LoopBridge.Streams;

/// <summary>
/// One pending read or write, used again and again. Its awaiter goes on inside the dispatch that completes it, on the loop's thread and
/// under the loop's context, without another turn.
/// </summary>
/// <remarks>
/// A value task captures the context it is awaited under and would post there. When that context is the loop's own, the post would cost a
/// turn and win nothing, because completion happens on the loop: the wish is dropped and the continuation called directly. An awaiter
/// that captured any other context gets its post.
/// </remarks>
internal sealed class StreamOperation(IEventLoop loop) : IValueTaskSource, IValueTaskSource<int>, IValueTaskSource<byte[]>
{
    private ManualResetValueTaskSourceCore<int> _core;
    private CancellationTokenRegistration _registration;
    private Exception? _failure;
    private byte[]? _bytes;
    private int _count;
    private int _inUse;

    internal short Version => _core.Version;

    internal CancellationToken Token { get; private set; }

    /// <summary>The next in a queue of writes.</summary>
    internal StreamOperation? Next { get; set; }

    /// <summary>Of a write: which drain it waits for.</summary>
    internal long Drain { get; set; }

    /// <summary>Of a flush: how many bytes the kernel must have taken; zero for a write.</summary>
    internal long Position { get; set; }

    /// <summary>False while a result of it has not been looked at, which may never happen.</summary>
    internal bool TryAcquire() => Interlocked.Exchange(ref _inUse, 1) == 0;

    /// <summary>Calls back, from any thread, when <paramref name="token"/> fires before the operation is done.</summary>
    internal void Watch(Action<object?> callback, object state, CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            Token = token;
            _registration = token.UnsafeRegister(callback, state);
        }
    }

    internal void Succeed(int count = 0, byte[]? bytes = null)
    {
        _count = count;
        _bytes = bytes;
        Complete();
    }

    internal void Fail(Exception failure)
    {
        _failure = failure;
        Complete();
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        if (SynchronizationContext.Current == loop.SynchronizationContext)
        {
            flags &= ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext;
        }

        _core.OnCompleted(continuation, state, token, flags);
    }

    int IValueTaskSource<int>.GetResult(short token) => TakeResult(token, out _);

    void IValueTaskSource.GetResult(short token) => TakeResult(token, out _);

    byte[] IValueTaskSource<byte[]>.GetResult(short token)
    {
        TakeResult(token, out byte[]? bytes);
        return bytes!;
    }

    private void Complete()
    {
        // Unregister and not dispose: a callback that runs on another thread just now only asks the stream to look, and is not worth
        // waiting for.
        _registration.Unregister();
        _registration = default;
        Token = default;
        LoopResumption.Run(loop, static operation => operation.Signal(), this);
    }

    // The continuation may begin the next operation with this same object: nothing is touched after it.
    private void Signal()
    {
        if (_failure is null)
        {
            _core.SetResult(_count);
        }
        else
        {
            _core.SetException(_failure);
        }
    }

    private int TakeResult(short token, out byte[]? bytes)
    {
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("The operation is not done: await it, and do not block on it.");
        }

        bytes = _bytes;
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            _bytes = null;
            _failure = null;
            _core.Reset();
            Volatile.Write(ref _inUse, 0);
        }
    }
}
