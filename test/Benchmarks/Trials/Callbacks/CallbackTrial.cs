namespace LoopBridge.Benchmarks.Trials.Callbacks;

/// <summary>What it costs to hand work to a loop from another thread, beside handing it to the thread pool.</summary>
internal sealed class CallbackTrial : ChildTrial
{
    private static readonly int[] ProducerCounts = [1, 2];

    public override string Name => "callback";

    public override string Description
        => $"bursts of {Burst.Length:#,0} delegates with a state, which do nothing, posted by 1 and by 2 threads:"
            + " UnsafeQueueUserWorkItem(WaitCallback, object) and AddCallback(Action<object>, object), which also carries the ambient context."
            + " ns/item is from the first post to the last run; post ns is the posting threads' own processor time;"
            + " CPU ns is the whole process's. All per item";

    public override string Left => "thread pool";

    public override string Right => "loop";

    public override IReadOnlyList<TrialFigure> Figures { get; } =
    [
        .. ProducerCounts.SelectMany(IEnumerable<TrialFigure> (count) =>
        [
            new TrialFigure(Title("ns/item", count), "0.0", Mark.AtMost(1)),
            new TrialFigure(Title("post ns", count), "0.0", Mark.AtMost(1)),
            new TrialFigure(Title("CPU ns", count), "0.0"),
            new TrialFigure(Title("allocated bytes", count), "0.0", Mark.AtMost(1)),
        ]),
    ];

    protected override IReadOnlyList<Reading> Measure(TrialWork work)
    {
        using var loop = new TrialLoop(work.Driver);
        var readings = new List<Reading>();
        foreach (int producers in ProducerCounts)
        {
            using var burst = new Burst(producers);
            var pool = new PoolQueue();
            var callbacks = new LoopQueue(loop.Loop);
            Slices<BurstCost> slices = work.Alternate(1.0 / ProducerCounts.Length, () => burst.Run(pool), () => burst.Run(callbacks));
            readings.Add(slices.Medians(Title("ns/item", producers), cost => cost.ItemNanoseconds));
            readings.Add(slices.Medians(Title("post ns", producers), cost => cost.PostNanoseconds));
            readings.Add(slices.Medians(Title("CPU ns", producers), cost => cost.CpuNanoseconds));
            readings.Add(slices.Medians(Title("allocated bytes", producers), cost => cost.Bytes));
        }

        return readings;
    }

    private static string Title(string what, int producers) => $"{what}, {producers} producer{(producers == 1 ? "" : "s")}";
}
