using System.Runtime.ExceptionServices;
using LoopBridge.Reactors;

namespace LoopBridge.Manual;

/// <summary>
/// The clock of a reactor, for tests: it stands still until <see cref="Advance"/> moves it, and nothing ever waits. Descends from
/// Twisted's <c>task.Clock</c>.
/// </summary>
/// <remarks>
/// <para>Give it to whatever takes an <see cref="IReactorTime"/>: a <see cref="LoopingCall"/>, a time limit, code of one's own. As a
/// <see cref="TimeProvider"/> it can be the clock under a loop, and so of every layer above; its own timers, and with them
/// <c>Task.Delay</c> and the like that were given it, are delayed calls too.</para>
/// <para>Moving the clock runs what is due in the order of the deadlines, then of scheduling; what is scheduled or moved meanwhile waits
/// for the next move, as for a turn of a reactor. Not thread-safe, but for reading the time.</para>
/// </remarks>
/// <example>
/// <code>
/// var clock = new ManualReactorClock();
/// Deferred&lt;int&gt; answer = new Deferred&lt;int&gt;().AddTimeout(TimeSpan.FromSeconds(5), clock);
/// clock.Advance(TimeSpan.FromSeconds(5));
/// // answer has failed with a TimeoutException
/// </code>
/// </example>
public sealed class ManualReactorClock : TimeProvider, IReactorTime
{
    private readonly List<ManualDelayedCall> _calls = [];
    private readonly DateTimeOffset _start;
    private long _ticks;
    private long _sequence;
    private bool _isInPass;

    /// <summary>Makes a clock that shows zero.</summary>
    /// <param name="start">
    /// What <see cref="GetUtcNow"/> says at first. Defaults to the beginning of 2000, UTC, so that each run of a test sees the same time.
    /// </param>
    public ManualReactorClock(DateTimeOffset? start = null)
        => _start = start ?? new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What the clock shows. Begins at zero. Any thread.</summary>
    public TimeSpan Time => new(GetTimestamp());

    /// <inheritdoc />
    /// <remarks>Told in the <see cref="Exception.Data"/> of what the call throws, as <c>SchedulingSite</c>.</remarks>
    public bool RecordSchedulingSites { get; set; }

    /// <inheritdoc />
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>UTC: a test must not depend on where it runs.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc />
    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => _start + Time;

    /// <inheritdoc />
    public IDelayedCall CallLater(TimeSpan delay, Action call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return CallLater(delay, static state => ((Action)state!)(), call);
    }

    /// <inheritdoc />
    public IDelayedCall CallLater(TimeSpan delay, Action<object?> call, object? state)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return Schedule(DelayedCall.Add(Time, delay), call, state);
    }

    /// <inheritdoc />
    public IDelayedCall CallAt(TimeSpan time, Action<object?> call, object? state)
    {
        ArgumentNullException.ThrowIfNull(call);
        return Schedule(time, call, state);
    }

    /// <summary>A snapshot of the calls that were neither run nor cancelled, the next one first.</summary>
    public IReadOnlyList<IDelayedCall> GetDelayedCalls() => [.. InOrder()];

    /// <summary>
    /// Moves the clock and runs what is due. Zero runs what is due now. In a call that it runs, it moves the clock and no more: so a call
    /// takes its time.
    /// </summary>
    /// <param name="by">How far.</param>
    /// <remarks>
    /// The clock shows its new time to all of them: to see each deadline at its own time, use <see cref="Pump"/>. What they throw is
    /// thrown here when all have run: one exception as it is, several as an <see cref="AggregateException"/>.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative: the clock is monotonic.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        Volatile.Write(ref _ticks, checked(_ticks + by.Ticks));
        if (_isInPass)
        {
            return;
        }

        _isInPass = true;
        try
        {
            RunDue();
        }
        finally
        {
            _isInPass = false;
        }
    }

    /// <summary>Advances step by step.</summary>
    /// <param name="steps">How far, each time.</param>
    public void Pump(params IEnumerable<TimeSpan> steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        foreach (TimeSpan step in steps)
        {
            Advance(step);
        }
    }

    /// <inheritdoc />
    /// <remarks>The timer is one of the delayed calls. Unlike that of other providers it belongs to the clock's one thread.</remarks>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualClockTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    internal long NextSequence() => _sequence++;

    internal void Remove(ManualDelayedCall call) => _calls.Remove(call);

    private IEnumerable<ManualDelayedCall> InOrder() => _calls.OrderBy(call => call.Time).ThenBy(call => call.Sequence);

    private ManualDelayedCall Schedule(TimeSpan time, Action<object?> call, object? state)
    {
        var delayed = new ManualDelayedCall(this, call, state);
        delayed.MoveTo(time);
        _calls.Add(delayed);
        return delayed;
    }

    private void RunDue()
    {
        TimeSpan now = Time;
        long before = _sequence;
        var escaped = new List<Exception>();
        foreach (ManualDelayedCall call in InOrder().Where(call => call.Time <= now).ToArray())
        {
            // Cancelled, or moved, by one before it: a moved one waits for the next pass, wherever it was moved to.
            if (!call.Active || call.Sequence >= before)
            {
                continue;
            }

            try
            {
                call.Run();
            }
            catch (Exception exception)
            {
                // The call's: the others run all the same, and then the test hears of it.
                if (call.Site is not null)
                {
                    exception.Data["SchedulingSite"] = call.Site;
                }

                escaped.Add(exception);
            }
        }

        if (escaped is [var single])
        {
            ExceptionDispatchInfo.Throw(single);
        }

        if (escaped.Count > 0)
        {
            throw new AggregateException("Several delayed calls threw.", escaped);
        }
    }
}
