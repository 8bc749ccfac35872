using System.Runtime.CompilerServices;

namespace LoopBridge.Loops;

/// <summary>
/// Runs a function on a loop again and again, at start + k · period. Descends from Tornado's <c>PeriodicCallback</c>.
/// </summary>
/// <remarks>
/// <para>Runs never overlap: one that takes longer than the period, or awaits longer, makes the next ones skip to the next free place of
/// the grid. The first run is one period after <see cref="Start"/>.</para>
/// <para>An exception goes to <see cref="IEventLoop.ExceptionHandler"/>, and the schedule goes on.</para>
/// <para>Belongs to the loop's thread, or to any one thread while the loop does not run. A closed loop runs it no more.</para>
/// </remarks>
/// <example><code>
/// var sweep = new PeriodicCallback(loop, () =&gt; cache.RemoveExpired(), TimeSpan.FromSeconds(30), jitter: 0.1);
/// sweep.Start();
/// </code></example>
public sealed class PeriodicCallback
{
    private static readonly Action<object?> TimeoutAction = static self => ((PeriodicCallback)self!).OnTimeout();

    private readonly IEventLoop _loop;
    private readonly Func<ValueTask> _run;
    private readonly Delegate _callback;
    private LoopTimeout? _timer;
    private TimeSpan _scheduled;
    private bool _isBusy;

    /// <inheritdoc cref="PeriodicCallback(IEventLoop, Func{ValueTask}, TimeSpan, double)"/>
    public PeriodicCallback(IEventLoop loop, Action callback, TimeSpan period, double jitter = 0)
        : this(loop, callback, callback is null ? null! : Plain(callback), period, jitter)
    {
    }

    /// <inheritdoc cref="PeriodicCallback(IEventLoop, Func{ValueTask}, TimeSpan, double)"/>
    public PeriodicCallback(IEventLoop loop, Func<Task> callback, TimeSpan period, double jitter = 0)
        : this(loop, callback, callback is null ? null! : () => new ValueTask(callback()), period, jitter)
    {
    }

    /// <summary>Makes one that does not run yet.</summary>
    /// <param name="loop">The loop it runs on.</param>
    /// <param name="callback">What to run. What it awaits continues on the loop, and the next run waits for its end.</param>
    /// <param name="period">From the beginning of one run to the beginning of the next.</param>
    /// <param name="jitter">
    /// How much chance to mix in, so that many processes do not run in step: each interval is the period times a random factor between
    /// 1 − jitter/2 and 1 + jitter/2. From zero to one. Defaults to zero.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The period is not positive, or the jitter not within zero and one.</exception>
    [OverloadResolutionPriority(1)] // an async lambda fits this one and the one with tasks
    public PeriodicCallback(IEventLoop loop, Func<ValueTask> callback, TimeSpan period, double jitter = 0)
        : this(loop, callback, callback, period, jitter)
    {
    }

    private PeriodicCallback(IEventLoop loop, Delegate callback, Func<ValueTask> run, TimeSpan period, double jitter)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(callback);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        if (!(jitter is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(jitter), jitter, "The jitter is a fraction of the period: from zero to one.");
        }

        _loop = loop;
        _callback = callback;
        _run = run;
        Period = period;
        Jitter = jitter;
    }

    /// <summary>From the beginning of one run to the beginning of the next.</summary>
    public TimeSpan Period { get; }

    /// <summary>The fraction of the period that is left to chance.</summary>
    public double Jitter { get; }

    /// <summary>Whether it was started and not stopped since.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Where the chance comes from.</summary>
    internal Random Random { get; init; } = Random.Shared;

    /// <summary>
    /// Begins afresh: the first run is one period from now. While a run that was begun before the last <see cref="Stop"/> still awaits,
    /// runs wait for its end. Harmless when repeated: a grid that runs stays where it is.
    /// </summary>
    /// <exception cref="InvalidOperationException">The loop runs on another thread.</exception>
    /// <exception cref="ObjectDisposedException">The loop is closed.</exception>
    public void Start()
    {
        if (IsRunning)
        {
            return;
        }

        _scheduled = _loop.Time;
        if (!_isBusy)
        {
            ScheduleNext();
        }

        IsRunning = true;
    }

    /// <summary>No run begins after this; one that awaits goes on to its end. Harmless when repeated.</summary>
    /// <exception cref="InvalidOperationException">The loop runs on another thread.</exception>
    public void Stop()
    {
        if (_timer is { } timer)
        {
            _loop.RemoveTimeout(timer);
            _timer = null;
        }

        IsRunning = false;
    }

    private static Func<ValueTask> Plain(Action callback) => () =>
    {
        callback();
        return default;
    };

    private void ScheduleNext()
    {
        TimeSpan interval = Jitter == 0 ? Period : PeriodicSchedule.Interval(Period, Jitter, Random.NextDouble());
        _scheduled = PeriodicSchedule.Next(_scheduled, _loop.Time, interval);
        _timer = _loop.CallAt(_scheduled, TimeoutAction, this);
    }

    private void OnTimeout()
    {
        _timer = null;
        _isBusy = true;
        ValueTask run;
        try
        {
            run = _run();
        }
        catch (Exception e)
        {
            run = ValueTask.FromException(e); // user code: reported like one that came after an await
        }

        if (run.IsCompleted)
        {
            End(run);
        }
        else
        {
            AwaitEnd(run);
        }
    }

    // Never throws: whatever the run throws is reported in End, so nobody has to watch this method itself.
    private async void AwaitEnd(ValueTask run)
    {
        Task task = run.AsTask();
        await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        End(new ValueTask(task));
    }

    private void End(ValueTask run)
    {
        try
        {
            run.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            _loop.ReportException(e, _callback); // user code: logged, and the schedule goes on
        }

        _isBusy = false;
        if (IsRunning)
        {
            ScheduleNext();
        }
    }
}
