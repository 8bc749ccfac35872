using System.Runtime.ExceptionServices;
using LoopBridge.Loops;

namespace LoopBridge.Manual;

/// <summary>
/// A loop for tests that nothing drives but the test: it runs one turn when told to, and its clock stands still until it is moved. No
/// thread, no descriptor, no wall clock, so that a test runs the same way each time, as fast as the machine can.
/// </summary>
/// <remarks>
/// <para>The turn is that of <see cref="EventLoop"/>, run by the same code: callbacks, timeouts, poll, handlers. What a poll finds are the
/// bytes of streams in memory (<see cref="MemoryStreamExtensions.CreateStreamPair(IEventLoop, MemoryStreamOptions?)"/>) and
/// <see cref="ManualDescriptor"/>s. There are no sockets: whoever asks for one is told so.</para>
/// <para><b>Thread.</b> The loop belongs to the thread that made it, or that last ran it, within turns and between them:
/// <see cref="IsOnLoopThread"/> is true there, and streams and timeouts may be used directly between turns. An <c>async</c> test can be
/// moved to another thread by each <c>await</c>; write such code inside <see cref="Run{T}"/>, where it stays on the loop. Only
/// <see cref="AddCallback(Action)"/>, its overload and <see cref="Stop"/> may come from other threads, for which the loop does not
/// wait.</para>
/// <para><b>Exceptions</b> that escape a callback, timeout or handler are thrown to the test by whatever ran the turn, unless an
/// <see cref="ExceptionHandler"/> is set. The loop goes on at the next call.</para>
/// <example>
/// A handler that greets, and hangs up on whoever says nothing for a minute:
/// <code>
/// using var loop = new ManualLoop();
/// (LoopStream client, LoopStream server) = loop.CreateStreamPair();
/// Task served = loop.Begin(() =&gt; new MyHandler(loop.TimeProvider).HandleAsync(server, CancellationToken.None));
///
/// byte[] greeting = loop.Run(async () =&gt; await client.ReadUntilAsync("\n"u8.ToArray()));
/// loop.Advance(TimeSpan.FromSeconds(59));
/// Assert.False(served.IsCompleted);
/// loop.Advance(TimeSpan.FromSeconds(1));
/// Assert.True(served.IsCompleted);
/// </code>
/// </example>
/// </remarks>
public sealed partial class ManualLoop : IEventLoop, IDisposable
{
    private readonly ManualDriver _driver = new();
    private readonly ManualClock _clock;
    private readonly EventLoop _loop;
    private readonly List<Exception> _exceptions = [];
    private readonly List<Exception> _untold = [];
    private readonly int _maxTurns;
    private bool _inTurn;

    /// <summary>Makes a loop, which belongs to the calling thread. Its time is zero.</summary>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="ManualLoopOptions.MaxTurns"/> is less than 1.</exception>
    public ManualLoop(ManualLoopOptions? options = null)
    {
        options ??= new ManualLoopOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxTurns, 1, nameof(options));
        _maxTurns = options.MaxTurns;
        _clock = new ManualClock(this, options.StartTime);
        var inner = new EventLoopOptions { Name = options.Name, TimeProvider = _clock, Logger = options.Logger, MakeCurrent = false };
        _loop = new EventLoop(inner, _driver, face: this) { ExceptionHandler = OnException };
        _loop.DefaultExecutor = _loop.Scheduler; // work for other threads would come back at any time
        _loop.Adopt();
    }

    /// <summary>The name it was made with.</summary>
    public string Name => _loop.Name;

    /// <summary>
    /// The loop's clock for code under test. Its timers, and with them <c>Task.Delay</c>, <c>CancellationTokenSource</c> and
    /// <c>PeriodicTimer</c> that were given it, are timeouts of the loop. Its local time zone is UTC.
    /// </summary>
    public TimeProvider TimeProvider => _clock;

    /// <summary>
    /// Whether the next turn would find nothing to do: no callback queued, no timeout due, nothing to send, no bytes on their way in
    /// memory, no descriptor ready.
    /// </summary>
    public bool IsIdle => !_loop.HasWork && !_driver.HasNews;

    /// <summary>Callbacks waiting for the next turn, those included that continue code after an <c>await</c>.</summary>
    public int PendingCallbacks => _loop.GetStatistics().QueuedCallbacks;

    /// <summary>Timeouts waiting for their time, those of <see cref="TimeProvider"/> included.</summary>
    public int PendingTimeouts => _loop.GetStatistics().PendingTimeouts;

    /// <summary>When the earliest timeout is due, on the clock <see cref="Time"/>; null without any.</summary>
    public TimeSpan? NextDeadline => _loop.NextDeadline;

    /// <summary>How many turns it has run.</summary>
    public long Turns => _loop.GetStatistics().Turns;

    /// <summary>
    /// Every exception that has escaped user code so far, in order, also those that went to the <see cref="ExceptionHandler"/> or came
    /// during <see cref="Dispose"/>.
    /// </summary>
    public IReadOnlyList<Exception> Exceptions => _exceptions;

    /// <summary>Runs one turn: callbacks, timeouts, poll, handlers. The clock stays.</summary>
    /// <remarks>
    /// What escapes from user code is thrown when the turn is over, unless <see cref="ExceptionHandler"/> took it: one exception as it is,
    /// several as an <see cref="AggregateException"/>.
    /// </remarks>
    /// <exception cref="InvalidOperationException">A turn is running.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public void RunTurn()
    {
        if (_inTurn)
        {
            throw new InvalidOperationException($"The loop '{Name}' is in a turn: a callback cannot run another one inside.");
        }

        _inTurn = true;
        try
        {
            _loop.Step();
        }
        finally
        {
            _inTurn = false;
        }

        ThrowWhatEscaped();
    }

    /// <summary>
    /// Closes the loop: its streams are reset, what is queued is dropped. Harmless when repeated. Throws nothing of what user code throws
    /// meanwhile, so that it does not hide a failed assertion: look at <see cref="Exceptions"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">A turn is running.</exception>
    public void Dispose() => Close(closeDescriptors: false);

    /// <inheritdoc />
    public void Close(bool closeDescriptors) => _loop.Close(closeDescriptors);

    /// <summary>Whether one of its turns is on the stack.</summary>
    internal bool IsInTurn => _inTurn;

    /// <summary>The next poll finds it. Loop thread.</summary>
    internal void Arrive(ILoopWork work) => _driver.Arrive(work);

    private void OnException(Exception exception, object? source)
    {
        _exceptions.Add(exception);
        if (ExceptionHandler is not { } handler)
        {
            _untold.Add(exception);
            return;
        }

        try
        {
            handler(exception, source);
        }
        catch (Exception e)
        {
            // The test's own handler failed: the test sees that, after what it was told.
            _exceptions.Add(e);
            _untold.Add(exception);
            _untold.Add(e);
        }
    }

    private void ThrowWhatEscaped()
    {
        Exception[] untold = [.. _untold];
        _untold.Clear();
        switch (untold)
        {
            case []:
                return;
            case [var single]:
                ExceptionDispatchInfo.Throw(single);
                break;
            default:
                throw new AggregateException($"Several exceptions escaped in one turn of the loop '{Name}'.", untold);
        }
    }
}
