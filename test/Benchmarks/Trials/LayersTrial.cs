using System.Runtime.CompilerServices;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Stacks;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What the layers allocate: for a timer each its own handle and nothing else, for a call from another thread nothing.</summary>
internal sealed class LayersTrial : ChildTrial
{
    private const int Timers = 10_000;
    private const int Calls = 1_000;

    /// <summary>Bytes for each operation that are no object of it: what a burst's own bookkeeping comes to.</summary>
    private const double Tolerance = 1;

    /// <summary>Each after the one below it.</summary>
    private static readonly string[] Loops = ["R", "L/R", "R/L/R", "L/R/L/R"];
    private static readonly string[] Reactors = ["L", "R/L", "L/R/L"];

    public override string Name => "layers";

    public override string Title => "what layers allocate";

    public override string Description
        => $"what an operation allocates on loops (L), reactors (R) and stacks of them: to set a timer and take it back, and to hand over a"
            + $" call from another thread, {Calls:#,0} at a time. 'Beyond' is without what the stack below allocates for the same, and without"
            + " the handle that the topmost layer gives out. Bytes for each operation";

    public override string Left => "";

    public override string Right => "stack";

    public override IReadOnlyList<Figure> Figures { get; } =
    [
        .. new[] { Reactors, Loops }.SelectMany(stacks => stacks.SelectMany(IEnumerable<Figure> (stack, height) =>
        [
            new Figure(Timer(stack), "0.0"),
            .. height == 0 ? [] : new[] { new Figure(TimerBeyond(stack), "0.0", Mark.AtMost(Tolerance)) },
            new Figure(Call(stack), "0.0", Mark.AtMost(Tolerance)),
        ])),
    ];

    protected override IReadOnlyList<Reading> Measure(TrialWork work)
    {
        var readings = new List<Reading>();
        foreach (string[] stacks in new[] { Reactors, Loops })
        {
            double below = double.NaN;
            foreach (string name in stacks)
            {
                using var thread = new StackThread(name, work.Driver);
                (double timer, double handle) = thread.Ask(MeasureTimers);
                readings.Add(new Reading(Timer(name), null, timer));
                if (!double.IsNaN(below))
                    readings.Add(new Reading(TimerBeyond(name), null, timer - handle - below));
                readings.Add(new Reading(Call(name), null, MeasureCalls(thread)));
                below = timer;
            }
        }

        return readings;
    }

    private static string Timer(string stack) => $"timer, {stack}";

    private static string TimerBeyond(string stack) => $"timer beyond handle, {stack}";

    private static string Call(string stack) => $"call, {stack}";

    private static (double Bytes, double Handle) MeasureTimers(EngineStack stack)
    {
        SetAndCancel(stack);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Type handle = SetAndCancel(stack);
        double bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Timers;
        return (bytes, SizeOf(handle));
    }

    private static Type SetAndCancel(EngineStack stack)
    {
        object handle = stack;
        for (int i = 0; i < Timers; i++)
        {
            handle = stack.CallLater(TimeSpan.FromHours(1), static _ => { }, null);
            stack.Cancel(handle);
        }

        return handle.GetType();
    }

    private static long SizeOf(Type type)
    {
        RuntimeHelpers.GetUninitializedObject(type); // what the runtime notes down about the type is no part of it
        long before = GC.GetAllocatedBytesForCurrentThread();
        object made = RuntimeHelpers.GetUninitializedObject(type);
        long size = GC.GetAllocatedBytesForCurrentThread() - before;
        GC.KeepAlive(made);
        return size;
    }

    // The last burst counts: by then whatever is kept for reuse is there.
    private static double MeasureCalls(StackThread thread)
    {
        using var done = new ManualResetEventSlim(initialState: false, spinCount: 0);
        long bytes = 0;
        for (int round = 0; round < 20; round++)
        {
            done.Reset();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 1; i < Calls; i++)
                thread.Stack.Call(static _ => { }, null);
            thread.Stack.Call(static ended => ((ManualResetEventSlim)ended!).Set(), done);
            done.Wait();
            bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        return (double)bytes / Calls;
    }
}
