using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Transport.Tests.Sockets;

/// <summary>
/// A loop of which only the public members are to be had, as if somebody else had written it: no driver, no posts without context, no end
/// of the turn.
/// </summary>
internal class ForwardingLoop(IEventLoop inner) : IEventLoop
{
    public bool IsOnLoopThread => inner.IsOnLoopThread;

    public TimeSpan Time => inner.Time;

    public SynchronizationContext SynchronizationContext => inner.SynchronizationContext;

    public TaskScheduler Scheduler => inner.Scheduler;

    public LoopExceptionHandler? ExceptionHandler
    {
        get => inner.ExceptionHandler;
        set => inner.ExceptionHandler = value;
    }

    public TaskScheduler DefaultExecutor
    {
        get => inner.DefaultExecutor;
        set => inner.DefaultExecutor = value;
    }

    public void Close(bool closeDescriptors) => inner.Close(closeDescriptors);

    public void Dispose() => inner.Dispose();

    public void Start() => inner.Start();

    public void Stop() => inner.Stop();

    public bool AddCallback(Action callback) => inner.AddCallback(callback);

    public bool AddCallback(Action<object?> callback, object? state) => inner.AddCallback(callback, state);

    public virtual LoopTimeout CallAt(TimeSpan deadline, Action<object?> callback, object? state) => inner.CallAt(deadline, callback, state);

    public virtual LoopTimeout CallLater(TimeSpan delay, Action<object?> callback, object? state) => inner.CallLater(delay, callback, state);

    public virtual void CallBeforePoll(Action<object?> callback, object? state) => inner.CallBeforePoll(callback, state);

    public virtual void RemoveTimeout(LoopTimeout timeout) => inner.RemoveTimeout(timeout);

    public virtual void AddHandler(SafeHandle descriptor, IoEvents events, Action<SafeHandle, IoEvents> handler) => inner.AddHandler(descriptor, events, handler);

    public virtual void UpdateHandler(SafeHandle descriptor, IoEvents events) => inner.UpdateHandler(descriptor, events);

    public virtual void RemoveHandler(SafeHandle descriptor) => inner.RemoveHandler(descriptor);
}
