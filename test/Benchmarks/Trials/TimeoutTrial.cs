using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Loops;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What a timeout costs among many: servers have one or two for each connection, and cancel nearly all of them.</summary>
internal sealed class TimeoutTrial : ChildTrial
{
    private const int Few = 1_000;
    private const int Many = 1_000_000;
    private const int Pairs = 10_000;
    private const string AddAndCancel = "ns/add and cancel";
    private const string Replace = "ns/replace one of them";

    public override string Name => "timeout";

    public override string Title => "add and cancel a timeout";

    public override string Description
        => $"a loop's timeouts, none of them due: CallLater and RemoveTimeout of the same one, and RemoveTimeout of any one pending with"
            + $" CallLater of another in its place. Delays are spread evenly over an hour; {Few:#,0} or {Many:#,0} others are pending";

    public override string Left => $"{Few:#,0}";

    public override string Right => $"{Many:#,0}";

    // The second touches memory at random, which a million entries have outside the caches whatever the structure; it is told, not judged.
    public override IReadOnlyList<Figure> Figures { get; } =
        [new(AddAndCancel, "0.0", Mark.AtMost(5)), new(Replace, "0.0")];

    protected override IReadOnlyList<Reading> Measure(TrialWork work)
    {
        // Not running, the loops are this thread's.
        using var few = new Pending(work.Driver, Few);
        using var many = new Pending(work.Driver, Many);
        Slices<double> pairs = work.Alternate(0.5, few.AddAndCancel, many.AddAndCancel);
        Slices<double> replacements = work.Alternate(0.5, few.Replace, many.Replace);
        return [pairs.Medians(AddAndCancel, cost => cost), replacements.Medians(Replace, cost => cost)];
    }

    private sealed class Pending : IDisposable
    {
        private static readonly Action<object?> Nothing = static _ => { };

        private readonly EventLoop _loop;
        private readonly LoopTimeout[] _timeouts;
        private readonly Random _random = new(Many);
        private readonly TimeSpan[] _delays = new TimeSpan[Pairs];
        private readonly int[] _victims = new int[Pairs];

        public Pending(LoopDriver driver, int count)
        {
            _loop = new EventLoop(new EventLoopOptions { Driver = driver });
            _timeouts = new LoopTimeout[count];
            for (int i = 0; i < count; i++)
                _timeouts[i] = _loop.CallLater(NextDelay(), Nothing, null);
        }

        public double AddAndCancel()
        {
            Draw();
            double start = LibC.ThreadCpuNanoseconds();
            foreach (TimeSpan delay in _delays)
                _loop.RemoveTimeout(_loop.CallLater(delay, Nothing, null));
            return NanosecondsEach(start);
        }

        public double Replace()
        {
            Draw();
            double start = LibC.ThreadCpuNanoseconds();
            for (int i = 0; i < Pairs; i++)
            {
                ref LoopTimeout timeout = ref _timeouts[_victims[i]];
                _loop.RemoveTimeout(timeout);
                timeout = _loop.CallLater(_delays[i], Nothing, null);
            }

            return NanosecondsEach(start);
        }

        public void Dispose() => _loop.Dispose();

        // Of processor time: the longer side's slices would meet a neighbour more often.
        private static double NanosecondsEach(double start) => (LibC.ThreadCpuNanoseconds() - start) / Pairs;

        // Before the clock starts.
        private void Draw()
        {
            for (int i = 0; i < Pairs; i++)
            {
                _delays[i] = NextDelay();
                _victims[i] = _random.Next(_timeouts.Length);
            }
        }

        // None is due while we measure.
        private TimeSpan NextDelay() => TimeSpan.FromHours(1 + _random.NextDouble());
    }
}
