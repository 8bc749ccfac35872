using System.Runtime.CompilerServices;
using LoopBridge.Loops;

namespace LoopBridge.Bridge;

/// <remarks>
/// Callbacks wait in a queue of the loop's own, so that closing drops them, and each has one call of the reactor that takes the oldest. So
/// the loop's callbacks and the reactor's calls of one thread run in the order in which that thread gave them, and a turn of the reactor
/// takes only what was there when it began.
/// </remarks>
public sealed partial class LoopOnReactor
{
    private static readonly Action<object?> RunNextAction = static loop => ((LoopOnReactor)loop!).RunNext();
    private static readonly Action<object?> BeforePollAction = static loop => ((LoopOnReactor)loop!).RunBeforePoll();
    private static readonly ContextCallback BeforePollPass = static loop => ((LoopOnReactor)loop!).RunBeforePollPass();

    private readonly CallbackQueue _callbacks = new();
    private readonly Lock _taking = new();
    private readonly LoopWorkItem.Carrier _carrier = new();
    private readonly TurnEndCalls _beforePoll = new();
    private bool _beforePollAsked;
    private bool _isBeforePoll;
    private object? _running; // for the watchdog, and its state: only while it runs, so that nothing is kept alive
    private object? _runningState;

    /// <inheritdoc />
    public bool AddCallback(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Enqueue(new LoopWorkItem(callback, null, ContextOfCaller()));
    }

    /// <inheritdoc />
    public bool AddCallback(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return Enqueue(new LoopWorkItem(callback, state, ContextOfCaller()));
    }

    /// <inheritdoc />
    [OverloadResolutionPriority(1)]
    public bool AddCallback(Func<Task> callback) => TaskCallback.Add(this, callback);

    /// <inheritdoc />
    public bool AddCallback(Func<ValueTask> callback) => TaskCallback.Add(this, callback);

    /// <inheritdoc />
    public void CallBeforePoll(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ObjectDisposedException.ThrowIf(_closed, this);
        AddBeforePoll(new LoopWorkItem(callback, state, ContextOfCaller()));
    }

    bool IEventLoop.Post(ILoopWork work) => Enqueue(new LoopWorkItem(work, null, NoAmbientContext.Value));

    void IEventLoop.AtTurnEnd(ILoopWork work)
    {
        if (!_beforePollAsked)
        {
            AskForBeforePoll();
        }

        _beforePoll.Add(new LoopWorkItem(work, null, null)); // the whole pass is outside any ambient context
    }

    bool IPostTarget.Post(SendOrPostCallback callback, object? state)
        => Enqueue(new LoopWorkItem(callback, state, NoAmbientContext.Value));

    // Never none: what has none of its own would run under that of whoever made the reactor's call.
    private static ExecutionContext ContextOfCaller() => ExecutionContext.Capture() ?? NoAmbientContext.Value;

    private bool Enqueue(in LoopWorkItem item)
    {
        if (_closed)
        {
            return false;
        }

        _callbacks.Enqueue(item);
        return Reactor.CallFromThread(RunNextAction, this);
    }

    private void RunNext()
    {
        LoopWorkItem item;
        lock (_taking)
        {
            // Of a closed loop nothing runs, not even what was added during the close.
            if (_closed || !_callbacks.TryDequeue(out item))
            {
                return;
            }
        }

        Run(item);
    }

    private void AddBeforePoll(in LoopWorkItem item)
    {
        AskForBeforePoll();
        _beforePoll.Add(item);
    }

    // The reactor is asked once for a turn. Off its thread always, because it refuses if it runs on another.
    private void AskForBeforePoll()
    {
        if (!_beforePollAsked || !IsOnLoopThread)
        {
            Reactor.CallBeforePoll(BeforePollAction, this);
            _beforePollAsked = true;
        }
    }

    private void RunBeforePoll()
    {
        _beforePollAsked = false;
        _isBeforePoll = true;
        _beforePoll.BeginPass();
        NoAmbientContext.Run(BeforePollPass, this); // once, and not that of whoever asked the reactor for it
        _isBeforePoll = false;
        Begin(null, null);
        EndIfStopped(); // also if one of them has just asked for it
    }

    private void RunBeforePollPass()
    {
        using var dispatch = new Dispatch(this, null);
        while (_beforePoll.TryTake(out LoopWorkItem item))
        {
            if (item.IsUserCode)
            {
                Run(item);
                continue;
            }

            try
            {
                Begin(item.Callback, item.State);
                item.Run(_carrier);
            }
            catch (Exception e)
            {
                _exceptions.Report(e, item.Source); // a bug of ours or of a sink: logged, and the others are still to be served
            }
        }
    }

    private void Run(in LoopWorkItem item)
    {
        // The engine's work has no context of ours, as on every loop.
        using var dispatch = new Dispatch(this, item.IsUserCode ? SynchronizationContext : null);
        try
        {
            Begin(item.Callback, item.State);
            item.Run(_carrier);
        }
        catch (Exception e)
        {
            _exceptions.Report(e, item.Source); // user code: logged, and the loop goes on
        }

        Begin(null, null);
    }

    private void Begin(object? callback, object? state)
    {
        _runningState = state;
        Volatile.Write(ref _running, callback);
    }

    // What was aborted posts its last words; they run before the loop is gone, others that came in between are dropped with it.
    private void DrainForClose()
    {
        for (int pass = 0; pass < 2; pass++)
        {
            _beforePoll.BeginPass();
            while (_beforePoll.TryTake(out LoopWorkItem item))
            {
                RunLastWords(item);
            }

            int count = _callbacks.Count;
            while (count-- > 0 && TryTake(out LoopWorkItem item))
            {
                RunLastWords(item);
            }
        }
    }

    private void RunLastWords(in LoopWorkItem item)
    {
        if (item.IsUserCode)
        {
            item.Drop();
        }
        else
        {
            Run(item);
        }
    }

    private void DropCallbacks()
    {
        while (TryTake(out LoopWorkItem item))
        {
            item.Drop();
        }

        _beforePoll.Drop();
    }

    private bool TryTake(out LoopWorkItem item)
    {
        lock (_taking)
        {
            return _callbacks.TryDequeue(out item);
        }
    }

    /// <summary>
    /// The time of one call into the loop's users: they find it as the current loop and its context around them, and whatever the layer
    /// below had is put back.
    /// </summary>
    private readonly ref struct Dispatch
    {
        private readonly LoopRun _run;
        private readonly SynchronizationContext? _previous;

        internal Dispatch(LoopOnReactor loop, SynchronizationContext? context)
        {
            _run = CurrentLoop.Enter(loop);
            _previous = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(context);
        }

        public void Dispose()
        {
            SynchronizationContext.SetSynchronizationContext(_previous);
            _run.Dispose();
        }
    }
}
