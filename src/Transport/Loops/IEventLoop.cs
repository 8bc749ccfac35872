using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LoopBridge.Drivers;

namespace LoopBridge.Loops;

/// <summary>
/// A loop: one thread that runs callbacks, timeouts and descriptor handlers, one at a time. One turn is: the callbacks queued at its
/// beginning, the timeouts due at its beginning, one poll, the handlers of what the poll found. Descends from Tornado's <c>IOLoop</c>.
/// </summary>
/// <remarks>
/// <see cref="AddCallback(Action)"/> and its overloads may be called from any thread at any time; every other member belongs to the loop's
/// thread, or to any one thread while the loop does not run. An exception that escapes user code never ends the loop: it goes to
/// <see cref="ExceptionHandler"/>. Nothing passed to a scheduling member is ever run inside that call.
/// </remarks>
public interface IEventLoop : IDisposable
{
    /// <summary>Whether the caller is on the thread that runs this loop now. Any thread.</summary>
    bool IsOnLoopThread { get; }

    /// <summary>The loop's monotonic clock: what deadlines are compared with. Its zero is arbitrary. Any thread.</summary>
    TimeSpan Time { get; }

    /// <summary>Posts to this loop: code that awaits under it continues on the loop's thread, in a later turn. Any thread.</summary>
    SynchronizationContext SynchronizationContext { get; }

    /// <summary>Runs tasks as callbacks of this loop. Any thread.</summary>
    TaskScheduler Scheduler { get; }

    /// <summary>Told of each exception that escapes user code, on the loop's thread. Null restores the default, which logs.</summary>
    LoopExceptionHandler? ExceptionHandler { get; set; }

    /// <summary>
    /// Where <see cref="ExecutorExtensions.RunInExecutorAsync{TResult}"/> runs blocking work that names no executor. Defaults to
    /// <see cref="ThreadExecutor.Shared"/>. Any thread; calls made later use it.
    /// </summary>
    TaskScheduler DefaultExecutor { get; set; }

    /// <summary>Runs the loop on the calling thread until <see cref="Stop"/>. May be called again afterwards.</summary>
    /// <exception cref="InvalidOperationException">The loop is running already.</exception>
    void Start();

    /// <summary>
    /// Ends <see cref="Start"/> after the callbacks and timeouts of the present turn. While the loop is not running, makes the next
    /// <see cref="Start"/> return at once. Any thread.
    /// </summary>
    void Stop();

    /// <summary>
    /// Runs <paramref name="callback"/> in the next turn, after those added before it, under the caller's ambient context. Any thread.
    /// </summary>
    /// <returns>False, and the callback is dropped, if the loop is closed.</returns>
    bool AddCallback(Action callback);

    /// <inheritdoc cref="AddCallback(Action)"/>
    bool AddCallback(Action<object?> callback, object? state);

    /// <summary>
    /// As <see cref="AddCallback(Action)"/> for a callback that goes on asynchronously: if its task fails, that is told once, as an
    /// exception of the callback; being cancelled is no failure. Any thread.
    /// </summary>
    /// <returns>False, and the callback is dropped, if the loop is closed.</returns>
    [OverloadResolutionPriority(1)] // an async lambda suits all the forms, and this is the one that it is written for
    bool AddCallback(Func<Task> callback) => TaskCallback.Add(this, callback);

    /// <inheritdoc cref="AddCallback(Func{Task})"/>
    bool AddCallback(Func<ValueTask> callback) => TaskCallback.Add(this, callback);

    /// <summary>
    /// Tells <see cref="ExceptionHandler"/>, or else the log, of an exception that nobody else will hear of. For code that runs user code
    /// and has to go on after it.
    /// </summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="source">What threw it, such as a delegate. Defaults to unknown.</param>
    void ReportException(Exception exception, object? source = null)
        => EscapedException.Report(this, exception, source);

    /// <summary>
    /// Ends the loop, as <see cref="IDisposable.Dispose"/> does: queued callbacks and timeouts are dropped, handlers unregistered. Harmless
    /// when repeated.
    /// </summary>
    /// <param name="closeDescriptors">
    /// Whether to close each descriptor that still has a handler, through the handle that it was registered with and in its way: that of a
    /// <see cref="System.Net.Sockets.Socket"/> resets the connection. False leaves them open.
    /// </param>
    /// <exception cref="InvalidOperationException">The loop is running.</exception>
    void Close(bool closeDescriptors);

    /// <summary>
    /// Runs <paramref name="callback"/> once, when <see cref="Time"/> has reached <paramref name="deadline"/>; never in the present turn.
    /// Equal deadlines run in the order added.
    /// </summary>
    LoopTimeout CallAt(TimeSpan deadline, Action<object?> callback, object? state);

    /// <summary>As <see cref="CallAt"/>, counted from now. A negative delay counts as none.</summary>
    LoopTimeout CallLater(TimeSpan delay, Action<object?> callback, object? state);

    /// <summary>Takes a timeout back. Harmless when it has fired or was removed, also after close.</summary>
    void RemoveTimeout(LoopTimeout timeout);

    /// <summary>
    /// Runs <paramref name="callback"/> once before the loop polls again: after the callbacks and timeouts of the present turn, or of the
    /// next one if handlers are called now. The place to send together what a turn has gathered, or to end something when the turn has
    /// done its work. One that is given while such callbacks run waits for the next turn, which then comes without sleep.
    /// </summary>
    /// <remarks>
    /// In the order given, under the caller's ambient context. Where loops stand on reactors and reactors on loops, it is one moment for
    /// all of them: before the lowest one polls.
    /// </remarks>
    void CallBeforePoll(Action<object?> callback, object? state);

    /// <summary>
    /// Calls <paramref name="handler"/> in each turn in which the descriptor is ready for one of <paramref name="events"/>; for errors and
    /// hang-ups always. The loop holds a reference on the handle until <see cref="RemoveHandler"/>; call that before disposing of a
    /// <see cref="System.Net.Sockets.Socket"/>, whose dispose waits, spinning, until nobody holds one.
    /// </summary>
    /// <exception cref="InvalidOperationException">The descriptor has a handler already.</exception>
    /// <exception cref="IOException">The driver cannot watch such a descriptor.</exception>
    void AddHandler(SafeHandle descriptor, IoEvents events, Action<SafeHandle, IoEvents> handler);

    /// <summary>Changes what the handler of a descriptor waits for.</summary>
    /// <exception cref="InvalidOperationException">The descriptor has no handler.</exception>
    void UpdateHandler(SafeHandle descriptor, IoEvents events);

    /// <summary>
    /// Ends the watch; the handler is not called again, not even for what the present poll found. Silent for an unknown descriptor.
    /// </summary>
    void RemoveHandler(SafeHandle descriptor);

    /// <summary>
    /// The driver's own way to sockets, where the loop has one to offer. Null: the socket engine works through <see cref="AddHandler"/>,
    /// with one more call to the driver for each change of interest.
    /// </summary>
    internal ISocketDriver? SocketDriver => null;

    /// <summary>As <see cref="AddHandler"/> for the engine: no ambient context. It may find a synchronization context.</summary>
    internal void Watch(SafeHandle descriptor, IoEvents events, IIoHandler handler)
    {
        using var suppression = FlowSuppression.Begin();
        AddHandler(descriptor, events, (_, happened) => handler.OnEvents(happened));
    }

    /// <summary>The engine's callback: no ambient context, no allocation. Any thread.</summary>
    internal bool Post(ILoopWork work) => AddCallback(static state => ((ILoopWork)state!).Run(), work);

    /// <summary>
    /// Runs <paramref name="work"/> before the loop polls again: the place where the sends of a turn leave together. Loop thread.
    /// </summary>
    internal void AtTurnEnd(ILoopWork work) => CallBeforePoll(static state => ((ILoopWork)state!).Run(), work);

    /// <summary>
    /// Keeps <paramref name="resource"/>, and disposes of it when the loop is closed: on the thread that closes it, before the loop drops
    /// anything, so that the resource can still remove what it has on the loop. What its disposal throws is reported. Loop thread, or any
    /// one thread while the loop does not run. A loop that has no way to keep it, as by default, leaves it to its owner.
    /// </summary>
    /// <param name="resource">Disposed of once, if it is still kept. Keeping it twice is keeping it once.</param>
    void Own(IDisposable resource)
    {
    }

    /// <summary>Forgets what <see cref="Own"/> took. Silent for what is not kept. Loop thread, or any one thread while it does not run.</summary>
    /// <param name="resource">What was kept.</param>
    void Disown(IDisposable resource)
    {
    }
}

/// <summary>Told of an exception that escaped user code. Runs on the loop's thread; what it throws itself is logged.</summary>
/// <param name="exception">What was thrown.</param>
/// <param name="source">What threw it: the callback, timeout or handler, for the log.</param>
public delegate void LoopExceptionHandler(Exception exception, object? source);

/// <summary>Work of the engine that needs no delegate of its own.</summary>
internal interface ILoopWork
{
    /// <summary>Loop thread.</summary>
    void Run();
}
