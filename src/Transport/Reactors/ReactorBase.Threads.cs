namespace LoopBridge.Reactors;

public abstract partial class ReactorBase
{
    private readonly ReactorWorkers _workers;

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
        return _workers.Queue(work);
    }
}
