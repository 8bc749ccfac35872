using System.Threading.Tasks.Sources;

namespace LoopBridge.Sockets;

/// <summary>The read or the write of a <see cref="TlsWire"/> that is under way, used again and again.</summary>
internal sealed class WireOperation : IValueTaskSource, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _core;
    private int _pending;

    /// <summary>Whether it was begun and has not ended. Any thread.</summary>
    internal bool IsPending => Volatile.Read(ref _pending) == 1;

    internal short Version => _core.Version;

    /// <summary>Whether what waits for it goes on within the call that ends it, or on the pool.</summary>
    internal bool ContinuesOnPool
    {
        get => _core.RunContinuationsAsynchronously;
        set => _core.RunContinuationsAsynchronously = value;
    }

    internal void Begin() => Volatile.Write(ref _pending, 1);

    /// <summary>Harmless when it has ended already.</summary>
    internal void Succeed(int count)
    {
        if (Interlocked.Exchange(ref _pending, 0) == 1)
        {
            _core.SetResult(count);
        }
    }

    /// <inheritdoc cref="Succeed"/>
    internal void Fail(Exception failure)
    {
        if (Interlocked.Exchange(ref _pending, 0) == 1)
        {
            _core.SetException(failure);
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => TakeResult(token);

    int IValueTaskSource<int>.GetResult(short token) => TakeResult(token);

    // Whoever goes on after this may begin the next operation with the same object.
    private int TakeResult(short token)
    {
        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
        }
    }
}
