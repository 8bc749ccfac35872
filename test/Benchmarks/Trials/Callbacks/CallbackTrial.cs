using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks.Trials.Callbacks;

/// <summary>What it costs to hand work to a loop from another thread, beside handing it to the thread pool.</summary>
internal sealed class CallbackTrial : ChildTrial
{
    /// <summary>Some tenths of a millisecond: long beside the start and the end of a burst, short beside a neighbour's time slice.</summary>
    private const int Length = 20_000;
    private const string Lone = "µs/item, one to a sleeper";
    private const string LonePost = "post µs, one to a sleeper";

    private static readonly int[] ProducerCounts = [1, 2];

    public override string Name => "callback";

    public override string Title => "a callback from another thread";

    public override string Description
        => $"bursts of {Length:#,0} delegates with a state, which do nothing, posted by 1 and by 2 threads:"
            + " UnsafeQueueUserWorkItem(WaitCallback, object) and AddCallback(Action<object>, object), which also carries the ambient context."
            + " ns/item is from the first post to the last run; post ns is the posting threads' own processor time;"
            + " CPU ns is the whole process's. All per item. And single ones after a pause of some milliseconds, which have to wake a thread";

    public override string Left => "thread pool";

    public override string Right => "loop";

    public override IReadOnlyList<Figure> Figures { get; } =
    [
        .. ProducerCounts.SelectMany(IEnumerable<Figure> (count) =>
        [
            new Figure(FigureOf("ns/item", count), "0.0", Mark.AtMost(1)),
            new Figure(FigureOf("post ns", count), "0.0", Mark.AtMost(1)),
            new Figure(FigureOf("CPU ns", count), "0.0"),
            new Figure(FigureOf("allocated bytes", count), "0.0", Mark.AtMost(1)),
        ]),
        new Figure(Lone, "0.0"),
        new Figure(LonePost, "0.0"),
    ];

    protected override IReadOnlyList<Reading> Measure(TrialWork work)
    {
        using var loop = new TrialLoop(work.Driver);
        var pool = new PoolQueue();
        var callbacks = new LoopQueue(loop.Loop);
        double share = 1.0 / (ProducerCounts.Length + 1);
        var readings = new List<Reading>();
        foreach (int producers in ProducerCounts)
        {
            using var burst = new Burst(producers, Length);
            Slices<BurstCost> slices = work.Alternate(share, () => burst.Run(pool), () => burst.Run(callbacks));
            readings.Add(slices.Medians(FigureOf("ns/item", producers), cost => cost.ItemNanoseconds));
            readings.Add(slices.Medians(FigureOf("post ns", producers), cost => cost.PostNanoseconds));
            readings.Add(slices.Medians(FigureOf("CPU ns", producers), cost => cost.CpuNanoseconds));
            readings.Add(slices.Medians(FigureOf("allocated bytes", producers), cost => cost.Bytes));
        }

        using var lone = new Burst(producers: 1, length: 1);
        Slices<BurstCost> single = work.Alternate(share, () => RunLone(lone, pool), () => RunLone(lone, callbacks));
        readings.Add(single.Medians(Lone, cost => cost.ItemNanoseconds / 1000));
        readings.Add(single.Medians(LonePost, cost => cost.PostNanoseconds / 1000));
        return readings;
    }

    private static BurstCost RunLone(Burst lone, WorkQueue queue)
    {
        // The pool's threads look for more work for a while before they sleep.
        Thread.Sleep(TimeSpan.FromMilliseconds(2));
        return lone.Run(queue);
    }

    private static string FigureOf(string what, int producers) => $"{what}, {producers} producer{(producers == 1 ? "" : "s")}";
}
