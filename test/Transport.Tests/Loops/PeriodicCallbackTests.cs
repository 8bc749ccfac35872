using LoopBridge.Loops;
using LoopBridge.Testing;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Loops;

/// <summary>Functions that run again and again, by a clock that the test moves.</summary>
public sealed class PeriodicCallbackTests : LoopContract
{
    private static readonly TimeSpan Ten = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _clock = new(TimeSpan.FromSeconds(1000));
    private readonly List<double> _runs = [];

    [Theory, LoopStacks]
    [Contract("L-PER-01")]
    public void Start_ShortRuns_StayOnTheGrid(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        var periodic = new PeriodicCallback(loop, () => Note(loop), Ten);

        periodic.Start();
        PassUntil(loop, 1054);

        Assert.Equal([1010, 1020, 1030, 1040, 1050], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-01")]
    public void Run_LateEachTime_DoesNotMoveTheGrid(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        new PeriodicCallback(loop, () => Note(loop), Ten).Start();
        for (int i = 0; i < 4; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(i == 0 ? 13 : 10)); // three seconds late, and the next one is on time nonetheless
            loop.RunTurns(2);
        }

        PassUntil(loop, 1050);
        Assert.Equal([1013, 1023, 1033, 1043, 1050], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-02")]
    public void Run_LongerThanThePeriod_SkipsThePlacesItMissed(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        var durations = new Queue<int>([9, 9, 10, 11, 20, 20, 35, 35, 0, 0]);
        new PeriodicCallback(loop, () =>
        {
            Note(loop);
            _clock.Advance(TimeSpan.FromSeconds(durations.TryDequeue(out int seconds) ? seconds : 0));
        }, Ten).Start();

        PassUntil(loop, 1230);

        Assert.Equal([1010, 1020, 1030, 1050, 1070, 1100, 1130, 1170, 1210, 1220, 1230], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-03")]
    public void Run_ClockGoesBackwards_NoBurst(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        new PeriodicCallback(loop, () =>
        {
            Note(loop);
            if (_runs.Count == 1)
            {
                _clock.Advance(TimeSpan.FromSeconds(-100));
            }
        }, Ten).Start();

        PassUntil(loop, 1010);
        Assert.Single(_runs);
        PassUntil(loop, 1030);

        Assert.Equal([1010, 1020, 1030], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-04")]
    public void Start_Jitter_TakesChanceForEachInterval(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        new PeriodicCallback(loop, () => Note(loop), Ten, jitter: 0.5) { Random = new GivenRandom(0.5, 1, 0, 0.75) }.Start();

        PassUntil(loop, 1042, TimeSpan.FromMilliseconds(250));

        Assert.Equal([1010, 1022.5, 1030, 1041.25], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-05")]
    public void Start_PeriodOfMilliseconds_Runs(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        new PeriodicCallback(loop, () => Note(loop), TimeSpan.FromMilliseconds(500)).Start();
        PassUntil(loop, 1001, TimeSpan.FromMilliseconds(250));
        Assert.Equal([1000.5, 1001], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-06")]
    public void Run_Asynchronous_IsAwaitedAndNeverOverlaps(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        TaskCompletionSource? gate = null;
        int inside = 0;
        new PeriodicCallback(loop, async () =>
        {
            Assert.Equal(1, ++inside);
            Note(loop);
            gate = new TaskCompletionSource();
            await gate.Task;
            Assert.True(loop.IsOnLoopThread);
            inside--;
        }, Ten).Start();

        PassUntil(loop, 1034);
        Assert.Equal([1010], _runs);
        gate!.SetResult();
        PassUntil(loop, 1044);

        Assert.Equal([1010, 1040], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-06")]
    public void Run_AnyKindOfFunction_IsAwaited(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        var gate = new TaskCompletionSource();
        var order = new List<string>();
        Action plain = () => order.Add("plain");
        new PeriodicCallback(loop, plain, Ten).Start();
        new PeriodicCallback(loop, GivesTask, Ten).Start();
        new PeriodicCallback(loop, GivesValueTask, Ten).Start();

        PassUntil(loop, 1020);
        Assert.Equal(["plain", "task", "value task", "plain"], order);
        gate.SetResult();
        PassUntil(loop, 1030);

        Assert.Equal(["plain", "task", "value task"], order.TakeLast(3).Order()); // both ended with the gate, in no order of ours

        Task GivesTask()
        {
            order.Add("task");
            return gate.Task;
        }

        ValueTask GivesValueTask()
        {
            order.Add("value task");
            return new ValueTask(gate.Task);
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PER-07")]
    public void Constructor_BadValues_Throw(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PeriodicCallback(loop, () => { }, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PeriodicCallback(loop, () => { }, TimeSpan.FromSeconds(-1)));
        foreach (double jitter in new[] { -0.1, 1.1, double.NaN })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => new PeriodicCallback(loop, () => { }, Ten, jitter));
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PER-07")]
    public void Stop_InsideTheCallback_IsTheLastRun(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        PeriodicCallback periodic = null!;
        periodic = new PeriodicCallback(loop, () =>
        {
            Note(loop);
            periodic.Stop();
        }, Ten);
        Assert.False(periodic.IsRunning);
        periodic.Start();
        Assert.True(periodic.IsRunning);

        PassUntil(loop, 1040);

        Assert.False(periodic.IsRunning);
        Assert.Equal([1010], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-07")]
    public void Start_AfterStop_BeginsAfreshFromNow(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        var periodic = new PeriodicCallback(loop, () => Note(loop), Ten);
        periodic.Start();
        PassUntil(loop, 1013);
        periodic.Stop();
        periodic.Stop();
        PassUntil(loop, 1024);
        periodic.Start();
        periodic.Start(); // no second schedule beside the first
        PassUntil(loop, 1045);

        Assert.Equal([1010, 1034, 1044], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-07"), Contract("L-PER-06")]
    public void Start_WhileAStoppedRunStillAwaits_WaitsForItsEnd(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        var gate = new TaskCompletionSource();
        var periodic = new PeriodicCallback(loop, async () =>
        {
            Note(loop);
            await gate.Task;
        }, Ten);
        periodic.Start();
        PassUntil(loop, 1013);
        periodic.Stop();
        periodic.Start();
        PassUntil(loop, 1030);
        Assert.Equal([1010], _runs);
        gate.SetResult();
        PassUntil(loop, 1043);

        Assert.Equal([1010, 1033, 1043], _runs);
    }

    [Theory, LoopStacks]
    [Contract("L-PER-08")]
    public void Run_Throws_IsLoggedAndTheScheduleGoesOn(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        Action plain = () =>
        {
            Note(loop);
            throw new FormatException("plain");
        };
        new PeriodicCallback(loop, plain, Ten).Start();
        new PeriodicCallback(loop, Asynchronous, Ten).Start();

        PassUntil(loop, 1020);

        Assert.Equal([1010, 1010, 1020, 1020], _runs);
        IReadOnlyList<LogEntry> errors = Log.Take(LogLevel.Error);
        Assert.Equal(["plain", "asynchronous", "plain", "asynchronous"], errors.Select(error => error.Exception?.Message));
        Assert.Contains(nameof(Asynchronous), errors[1].Message, StringComparison.Ordinal);

        async ValueTask Asynchronous()
        {
            Note(loop);
            await Task.CompletedTask;
            throw new FormatException("asynchronous");
        }
    }

    [Theory, LoopStacks]
    [Contract("L-PER-08")]
    public void Run_ThrowsAfterAnAwait_GoesToTheExceptionHandler(LoopStack stack)
    {
        IEventLoop loop = NewLoop(stack, _clock);
        var escaped = new List<Exception>();
        loop.ExceptionHandler = (exception, _) => escaped.Add(exception);
        var gate = new TaskCompletionSource();
        new PeriodicCallback(loop, async () =>
        {
            Note(loop);
            await gate.Task;
        }, Ten).Start();
        PassUntil(loop, 1011);
        var error = new FormatException();
        gate.SetException(error);
        PassUntil(loop, 1020);

        Assert.Equal([error, error], escaped);
        Assert.Equal([1010, 1020], _runs);
    }

    private void Note(IEventLoop loop) => _runs.Add(loop.Time.TotalSeconds);

    // In steps that meet every place of the grid; the turns let what a step made due run, and what awaits it.
    private void PassUntil(IEventLoop loop, double seconds, TimeSpan? step = null)
    {
        while (loop.Time.TotalSeconds < seconds)
        {
            _clock.Advance(step ?? TimeSpan.FromSeconds(1));
            loop.RunTurns(3);
        }
    }

    private sealed class GivenRandom(params double[] values) : Random
    {
        private int _next;

        public override double NextDouble() => values[Math.Min(_next++, values.Length - 1)];
    }
}
