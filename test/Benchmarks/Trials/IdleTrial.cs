using System.Diagnostics;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Stacks;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>
/// What a loop or reactor does that has nothing to do, whatever it stands on: it sleeps in one wait. Anything else would keep a laptop's
/// core from sleeping too.
/// </summary>
internal sealed class IdleTrial : ChildTrial
{
    private const string WakeUps = "wake-ups";
    private const string SystemCalls = "system calls";
    private const string Allocated = "allocated bytes, all";
    private const string Threads = "threads beside their own, all";

    private static readonly TimeSpan Rehearsal = TimeSpan.FromSeconds(0.2);

    private static readonly string[] Stacks = ["L", "R", "R/L", "L/R", "R/L/R", "L/R/L", "L/R/L/R"];

    public override string Name => "idle";

    public override string Title => "loops and reactors with nothing to do";

    public override string Description
        => "loops (L), reactors (R), and stacks of them with nothing but a timeout that is an hour away, each on a thread of its own, left"
            + " alone for some seconds (--seconds): how often the thread went to sleep again, what the process allocated, how many threads"
            + " it has more than the stacks, and then, under strace, what system calls each thread made beside the wait that strace itself"
            + " interrupts";

    public override string Left => "";

    public override string Right => "stack";

    public override IReadOnlyList<Figure> Figures { get; } =
    [
        .. Stacks.SelectMany(IEnumerable<Figure> (stack) =>
            [new Figure(FigureOf(WakeUps, stack), "0", Mark.AtMost(0)), new Figure(FigureOf(SystemCalls, stack), "0", Mark.AtMost(0))]),
        new Figure(Allocated, "0", Mark.AtMost(0)),
        new Figure(Threads, "0", Mark.AtMost(0)),
    ];

    public override Tool? Tool => Tool.Strace;

    /// <summary>The child is quiet between its two lines, and after them until its input ends.</summary>
    public override async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        using ChildProcess child = ChildProcess.Start(Arguments(run), run.Stop);
        int[] threads = await child.ReadAsync<int[]>().ConfigureAwait(false);
        long[] before = Switches(child, threads);
        IReadOnlyList<Reading> readings = await child.ReadAsync<IReadOnlyList<Reading>>().ConfigureAwait(false);
        long[] after = Switches(child, threads);

        // Once before it counts: an interrupted wait is a path that nothing has taken yet, and the calls that patch its code in are not the
        // stack's.
        await TraceAsync(threads, Rehearsal, run.Stop).ConfigureAwait(false);
        int[] calls = await TraceAsync(threads, TimeSpan.FromSeconds(run.Options.Seconds), run.Stop).ConfigureAwait(false);
        return
        [
            .. Stacks.SelectMany(IEnumerable<Reading> (stack, i) =>
                [new Reading(FigureOf(WakeUps, stack), null, after[i] - before[i]), new Reading(FigureOf(SystemCalls, stack), null, calls[i])]),
            .. readings,
        ];
    }

    protected override IReadOnlyList<Reading> Measure(TrialWork work)
    {
        int threadsBefore = ThreadCount();
        StackThread[] stacks = [.. Stacks.Select(stack => new StackThread(stack, work.Driver))];

        // The wait that strace interrupts makes the stack take a turn, whose code must have been compiled for good by then.
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < work.Warm)
        {
            foreach (StackThread stack in stacks)
                stack.Ask(static _ => true);
        }

        int[] threads = [.. stacks.Select(stack => stack.Ask(static engines =>
        {
            engines.CallLater(TimeSpan.FromHours(1), static _ => { }, null);
            return LibC.ThreadId();
        }))];
        Report(threads);

        // What the start left over (the compiler's background work, the pool's threads) is not the stacks'.
        Thread.Sleep(TimeSpan.FromSeconds(1));
        long before = GC.GetTotalAllocatedBytes(precise: true);
        Thread.Sleep(work.Measure);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Report(new[] { new Reading(Allocated, null, allocated), new Reading(Threads, null, ThreadCount() - threadsBefore - stacks.Length) });
        Console.In.ReadToEnd();
        foreach (StackThread stack in stacks)
            stack.Dispose();
        return [];
    }

    private static string FigureOf(string what, string stack) => $"{what}, {stack}";

    private static Task<int[]> TraceAsync(int[] threads, TimeSpan time, CancellationToken stop)
        => Task.WhenAll(threads.Select(thread => SystemCallTrace.CountAsync(thread, time, stop)));

    // Without two of the runtime's: its background compiler's, and the one for the signals of any console program.
    private static int ThreadCount()
        => Directory.GetDirectories("/proc/self/task")
            .Select(task => File.ReadAllText(Path.Combine(task, "comm")))
            .Count(name => !name.StartsWith(".NET Tiered", StringComparison.Ordinal) && !name.StartsWith(".NET SigHandler", StringComparison.Ordinal));

    private static long[] Switches(ChildProcess child, int[] threads)
        => [.. threads.Select(thread => ProcFile.VoluntarySwitches(child.Id, thread))];
}
