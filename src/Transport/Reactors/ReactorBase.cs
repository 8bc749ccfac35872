using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoopBridge.Reactors;

/// <summary>
/// What every reactor has in common: the life with its system events, the delayed calls, the descriptors and the guard around each
/// callback. What it stands on, a loop or a dispatcher of its own, is the business of the class derived from it.
/// </summary>
/// <remarks>A table of contents; each part is in a file of its own.</remarks>
public abstract partial class ReactorBase : IReactor
{
    private readonly DescriptorSet _descriptors;
    private readonly WatcherSet _watchers;
    private object? _presentCall;
    private bool _disposed;

    private protected ReactorBase(ILogger? logger)
    {
        Logger = logger ?? NullLogger.Instance;
        _descriptors = new DescriptorSet(this);
        _watchers = new WatcherSet(this);
        Served = new ServedSet(this);
        _workers = new ReactorWorkers(this);
        Signals = new ReactorSignals(this);
        _startup = new SystemEvent(this, SystemEvents.Startup, OnStarted);
        _shutdown = new SystemEvent(this, SystemEvents.Shutdown, OnShutDown);
        _events = new Dictionary<string, SystemEvent>(StringComparer.Ordinal)
        {
            [SystemEvents.Startup] = _startup,
            [SystemEvents.Shutdown] = _shutdown,
        };
    }

    internal ILogger Logger { get; }

    /// <summary>Connections and ports, which others serve for this reactor.</summary>
    internal ServedSet Served { get; }

    internal DelayedCallList DelayedCalls { get; } = new();

    /// <summary>
    /// What of the user's runs now, for the watchdog. Only while it runs, so that nothing is kept alive. Set on the reactor's thread.
    /// </summary>
    internal object? PresentCall { get => Volatile.Read(ref _presentCall); set => Volatile.Write(ref _presentCall, value); }

    /// <summary>Any thread.</summary>
    internal bool IsDisposed { get => Volatile.Read(ref _disposed); private set => Volatile.Write(ref _disposed, value); }

    /// <summary>Tells of an exception that escaped user code, once. Any thread.</summary>
    internal abstract void Report(Exception exception, object? source);

    /// <summary>Runs it in the next turn, unguarded. False if nothing will turn again. Any thread.</summary>
    internal abstract bool Post(Action<object?> callback, object? state);

    /// <summary>As <see cref="Post"/>, for a call of the user's: guarded, and dropped if the reactor is disposed first. Any thread.</summary>
    private protected abstract bool PostCall(Action<object?> call, object? state);

    /// <summary>Runs it, guarded, at the end of the present turn.</summary>
    private protected abstract void AddBeforePoll(Action<object?> call, object? state);

    /// <summary>Has <see cref="DelayedCall.Fire"/> called when the call's time has come, never in the present turn.</summary>
    internal abstract LoopTimeout Arm(DelayedCall call);

    internal abstract void Disarm(LoopTimeout timeout);

    internal abstract void Watch(SafeHandle descriptor, IoEvents interest, IoTrigger trigger, Action<SafeHandle, IoEvents> handler);

    internal abstract void Rewatch(SafeHandle descriptor, IoEvents interest);

    internal abstract void Unwatch(SafeHandle descriptor);

    /// <summary>Something of the user's was called. For reactors whose turns are not their own.</summary>
    internal virtual void OnServed()
    {
    }

    /// <summary>
    /// For the host, of a reactor that its <c>Dispose</c> does nothing to: the shutdown fires now, waiting for no task, and what is
    /// registered is told. The loop goes on, whether above or below. Reactor thread.
    /// </summary>
    internal abstract void ShutDown();

    /// <summary>Ends <see cref="IReactorCore.Run(bool)"/> after the present turn, if somebody called it; a loop that others run goes on.</summary>
    private protected abstract void EndRun();

    internal static object? Describe(object? source)
        => source is Delegate callback ? $"{callback.Method.DeclaringType?.FullName}.{callback.Method.Name}" : source;
}
