using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

public abstract partial class ReactorBase
{
    private readonly ReactorWorkers _workers;
    private readonly BlockingCalls _blockingCalls = new();

    /// <inheritdoc />
    public abstract bool IsInReactorThread { get; }

    /// <inheritdoc />
    public bool CallFromThread(Action call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return CallFromThread(static state => ((Action)state!)(), call);
    }

    /// <inheritdoc />
    public bool CallFromThread(Action<object?> call, object? state)
    {
        ArgumentNullException.ThrowIfNull(call);
        return !IsDisposed && PostCall(call, state);
    }

    /// <inheritdoc />
    public bool CallInThread(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        return _workers.Pool?.CallInThread(work) ?? false;
    }

    /// <inheritdoc />
    public ReactorThreadPool GetThreadPool() => _workers.Pool ?? throw new ReactorNotRunningException();

    /// <inheritdoc />
    public void SuggestThreadPoolSize(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ReactorThreadPool pool = GetThreadPool();
        pool.Adjust(Math.Min(pool.Minimum, size), size);
    }

    /// <inheritdoc />
    public T BlockingCallFromThread<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return _blockingCalls.Wait(this, () => Task.FromResult(function()));
    }

    /// <inheritdoc />
    public T BlockingCallFromThread<T>(Func<Deferred<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return _blockingCalls.Wait(this, () => function().ToTask());
    }

    /// <inheritdoc />
    public T BlockingCallFromThread<T>(Func<Task<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return _blockingCalls.Wait(this, function);
    }

    // Those that wait for the reactor first: the others may be waiting for them.
    private void EndThreads()
    {
        _blockingCalls.End();
        _workers.Shut();
    }
}
