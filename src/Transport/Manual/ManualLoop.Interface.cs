using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;
using LoopBridge.Loops;

namespace LoopBridge.Manual;

/// <remarks>What makes it a loop: the one inside, which its users meet under this face.</remarks>
public sealed partial class ManualLoop
{
    private volatile bool _stopRequested;

    /// <summary>
    /// Whether the caller is on the thread that the loop belongs to: the one that made it or last ran it, also between turns. Any thread.
    /// </summary>
    public bool IsOnLoopThread => _loop.IsOnLoopThread;

    /// <summary>The loop's clock: stands still until <see cref="Advance"/>, or a run that may jump, moves it. Begins at zero.</summary>
    public TimeSpan Time => _loop.Time;

    /// <inheritdoc />
    public SynchronizationContext SynchronizationContext => _loop.SynchronizationContext;

    /// <inheritdoc />
    public TaskScheduler Scheduler => _loop.Scheduler;

    /// <summary>
    /// Told of each exception that escapes user code, on the loop's thread. Null, as at first: whatever runs the turn throws it.
    /// </summary>
    public LoopExceptionHandler? ExceptionHandler { get; set; }

    /// <summary>
    /// Where work goes that names no executor. Defaults to <see cref="Scheduler"/>, the loop itself, so that it is done in a turn and not
    /// at any time on another thread.
    /// </summary>
    public TaskScheduler DefaultExecutor
    {
        get => _loop.DefaultExecutor;
        set => _loop.DefaultExecutor = value;
    }

    ISocketDriver? IEventLoop.SocketDriver => _driver;

    /// <summary>
    /// Runs turns until <see cref="Stop"/>. Where another loop would sleep, the clock jumps to the next deadline. For code that starts its
    /// loop itself, such as <see cref="EventLoopExtensions.RunSync{TResult}"/>.
    /// </summary>
    /// <exception cref="ManualLoopStuckException">
    /// There is nothing left to do and no deadline to go to: another loop would sleep for ever. Or <see cref="ManualLoopOptions.MaxTurns"/>
    /// turns were run.
    /// </exception>
    /// <exception cref="InvalidOperationException">The loop is running.</exception>
    public void Start()
    {
        ThrowIfInTurn();
        bool stopped = TakeStop();
        for (int turns = 0; !stopped; turns++)
        {
            if (IsIdle && !JumpToNextDeadline())
            {
                throw Deadlock("Start waits for Stop");
            }

            ThrowIfTooMany(turns, "Start waits for Stop");
            RunTurn();
            stopped = TakeStop();
        }
    }

    /// <summary>
    /// Ends <see cref="Start"/>, <see cref="RunUntilIdle"/>, <see cref="Advance"/> and the runs after the callbacks and timeouts of the
    /// present turn. While none of them is under way, the next of them ends before its first turn. Any thread.
    /// </summary>
    public void Stop()
    {
        _stopRequested = true;
        if (_inTurn)
        {
            _loop.Stop(); // the present turn goes without its poll, as on every loop
        }
    }

    /// <inheritdoc />
    public bool AddCallback(Action callback) => _loop.AddCallback(callback);

    /// <inheritdoc />
    public bool AddCallback(Action<object?> callback, object? state) => _loop.AddCallback(callback, state);

    /// <inheritdoc />
    [OverloadResolutionPriority(1)]
    public bool AddCallback(Func<Task> callback) => _loop.AddCallback(callback);

    /// <inheritdoc />
    public bool AddCallback(Func<ValueTask> callback) => _loop.AddCallback(callback);

    /// <summary>As for an exception that escapes a callback: the <see cref="ExceptionHandler"/> is told, or the turn throws it.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="source">What threw it, such as a delegate. Defaults to unknown.</param>
    public void ReportException(Exception exception, object? source = null) => _loop.ReportException(exception, source);

    /// <inheritdoc />
    public LoopTimeout CallAt(TimeSpan deadline, Action<object?> callback, object? state) => _loop.CallAt(deadline, callback, state);

    /// <inheritdoc />
    public LoopTimeout CallLater(TimeSpan delay, Action<object?> callback, object? state) => _loop.CallLater(delay, callback, state);

    /// <inheritdoc />
    public void CallBeforePoll(Action<object?> callback, object? state) => _loop.CallBeforePoll(callback, state);

    /// <inheritdoc />
    public void RemoveTimeout(LoopTimeout timeout) => _loop.RemoveTimeout(timeout);

    /// <summary>
    /// Calls <paramref name="handler"/> in each turn in which the descriptor is made ready for one of <paramref name="events"/>, an error
    /// or a hang-up.
    /// </summary>
    /// <param name="descriptor">A <see cref="ManualDescriptor"/>.</param>
    /// <param name="events">What the handler waits for.</param>
    /// <param name="handler">Called on the loop.</param>
    /// <exception cref="InvalidOperationException">The descriptor has a handler already.</exception>
    /// <exception cref="IOException">It is a real descriptor: no kernel is asked here.</exception>
    public void AddHandler(SafeHandle descriptor, IoEvents events, Action<SafeHandle, IoEvents> handler)
        => _loop.AddHandler(descriptor, events, handler);

    /// <inheritdoc />
    public void UpdateHandler(SafeHandle descriptor, IoEvents events) => _loop.UpdateHandler(descriptor, events);

    /// <inheritdoc />
    public void RemoveHandler(SafeHandle descriptor) => _loop.RemoveHandler(descriptor);

    bool IEventLoop.Post(ILoopWork work) => ((IEventLoop)_loop).Post(work);

    void IEventLoop.AtTurnEnd(ILoopWork work) => ((IEventLoop)_loop).AtTurnEnd(work);

    void IEventLoop.Own(IDisposable resource) => ((IEventLoop)_loop).Own(resource);

    void IEventLoop.Disown(IDisposable resource) => ((IEventLoop)_loop).Disown(resource);

    private bool TakeStop()
    {
        bool stopped = _stopRequested;
        _stopRequested = false;
        return stopped;
    }
}
