using LoopBridge.Deferreds;

namespace LoopBridge.Reactors;

/// <summary>
/// Does long work in small units, between which the reactor turns. Descends from Twisted's <c>Cooperator</c>.
/// </summary>
/// <remarks>
/// <para>A piece of work is an iterator: each step is a unit, and yields null, or a Deferred that the next unit waits for. All tasks get
/// their units in turn, one each, until the time slice of this turn is over; the next turn goes on where this one ended. A turn also
/// ends after a round in which the clock stood still, so that a test's clock gives each task one unit in a turn.</para>
/// <para>Without a task that could go on, nothing is scheduled. Belongs to the thread of its reactor.</para>
/// </remarks>
/// <example>
/// <code>
/// IEnumerable&lt;Deferred?&gt; Compress()
/// {
///     foreach (Block block in blocks)
///     {
///         block.Compress();
///         yield return null;
///     }
/// }
///
/// await cooperator.Coiterate(Compress());
/// </code>
/// </example>
public sealed class Cooperator
{
    /// <summary>Twisted's default: a hundredth of a second is the longest that anybody else on the reactor has to wait.</summary>
    private static readonly TimeSpan DefaultTimeSlice = TimeSpan.FromMilliseconds(10);

    private readonly IReactorTime _clock;
    private readonly TimeSpan _timeSlice;
    private readonly HashSet<CooperativeTask> _unfinished = [];
    private readonly Queue<CooperativeTask> _round = new();
    private IDelayedCall? _turn;
    private int _ready;
    private bool _isStopped;

    /// <summary>Makes one without a task.</summary>
    /// <param name="clock">The reactor, or another clock.</param>
    /// <param name="timeSlice">
    /// How long the units of one turn may take together; the last one may exceed it. Zero means one unit. Defaults to 10 ms.
    /// </param>
    /// <param name="started">Whether work begins at once; otherwise <see cref="Start"/> begins it. Defaults to true.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeSlice"/> is negative.</exception>
    public Cooperator(IReactorTime clock, TimeSpan? timeSlice = null, bool started = true)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentOutOfRangeException.ThrowIfLessThan(timeSlice ?? TimeSpan.Zero, TimeSpan.Zero, nameof(timeSlice));
        _clock = clock;
        _timeSlice = timeSlice ?? DefaultTimeSlice;
        IsRunning = started;
    }

    /// <summary>Whether tasks get their turns: started, and not stopped.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Adds a task. Its first unit is done in a later turn.</summary>
    /// <param name="work">
    /// The units. Its iterator is disposed of when the task ends, in whichever way, so its <see langword="finally"/> blocks run.
    /// </param>
    /// <returns>The task. If this cooperator was stopped, it has failed with a <see cref="CooperatorStoppedException"/>.</returns>
    public CooperativeTask Cooperate(IEnumerable<Deferred?> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var task = new CooperativeTask(this, work.GetEnumerator());
        if (_isStopped)
        {
            _ready++; // as if it had been added and held again
            task.Finish(new CooperatorStoppedException());
        }
        else
        {
            _unfinished.Add(task);
            Ready(task);
        }

        return task;
    }

    /// <summary>Adds a task, and waits for its end.</summary>
    /// <param name="work">The units; see <see cref="Cooperate"/>.</param>
    /// <returns>As <see cref="CooperativeTask.WhenDone"/>.</returns>
    public Deferred<Unit> Coiterate(IEnumerable<Deferred?> work) => Cooperate(work).WhenDone();

    /// <summary>Begins, or goes on after <see cref="Stop"/> with new tasks. Harmless when repeated.</summary>
    public void Start()
    {
        _isStopped = false;
        IsRunning = true;
        Reschedule();
    }

    /// <summary>Ends every task with a <see cref="CooperatorStoppedException"/>, and those that are added before the next
    /// <see cref="Start"/>.</summary>
    public void Stop()
    {
        _isStopped = true;
        IsRunning = false;
        foreach (CooperativeTask task in _unfinished.ToArray())
        {
            task.Finish(new CooperatorStoppedException());
        }

        Reschedule();
    }

    /// <summary>The task can go on.</summary>
    internal void Ready(CooperativeTask task)
    {
        _ready++;

        // One that was held and let go before its place came up still has that place.
        if (!task.IsInRound)
        {
            task.IsInRound = true;
            _round.Enqueue(task);
        }

        Reschedule();
    }

    /// <summary>The task cannot go on. It loses its place when that comes up.</summary>
    internal void Hold()
    {
        _ready--;
        if (_ready == 0)
        {
            // No turn will come to drop these places, and with them the tasks that have ended.
            while (_round.TryDequeue(out CooperativeTask? task))
            {
                task.IsInRound = false;
            }
        }

        Reschedule();
    }

    internal void Forget(CooperativeTask task) => _unfinished.Remove(task);

    private void Reschedule()
    {
        if (IsRunning && _ready > 0)
        {
            _turn ??= _clock.CallLater(TimeSpan.Zero, static self => ((Cooperator)self!).Turn(), this);
        }
        else if (_turn is { Active: true } turn)
        {
            turn.Cancel();
            _turn = null;
        }
    }

    private void Turn()
    {
        TimeSpan began = _clock.Time;
        int round = _round.Count;
        while (IsRunning && _round.TryDequeue(out CooperativeTask? task))
        {
            round--;
            task.IsInRound = false;
            if (!task.IsReady)
            {
                continue;
            }

            task.DoUnit();
            if (task.IsReady && !task.IsInRound)
            {
                task.IsInRound = true;
                _round.Enqueue(task);
            }

            TimeSpan used = _clock.Time - began;
            if (used >= _timeSlice)
            {
                break;
            }

            if (round <= 0)
            {
                if (used == TimeSpan.Zero)
                {
                    break;
                }

                round = _round.Count;
            }
        }

        // Only now: a unit that adds tasks, or lets some go on, must not schedule a turn of its own.
        _turn = null;
        Reschedule();
    }
}
