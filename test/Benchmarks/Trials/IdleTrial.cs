using System.Diagnostics;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>What a loop does that has nothing to do: it sleeps in one wait. Anything else would keep a laptop's core from sleeping too.</summary>
internal sealed class IdleTrial : ChildTrial
{
    private const string WakeUps = "wake-ups";
    private const string SystemCalls = "system calls";
    private const string Allocated = "allocated bytes";

    public override string Name => "idle";

    public override string Description
        => "a loop with nothing but a timeout that is an hour away, left alone for some seconds (--seconds): how often its thread went to"
            + " sleep again, what the process allocated, and then, under strace, what system calls the thread made beside the wait that"
            + " strace itself interrupts";

    public override string Left => "";

    public override string Right => "loop";

    public override IReadOnlyList<TrialFigure> Figures { get; } =
    [
        new(WakeUps, "0", Mark.AtMost(0)),
        new(SystemCalls, "0", Mark.AtMost(0)),
        new(Allocated, "0", Mark.AtMost(0)),
    ];

    public override Tool? Tool => Tool.Strace;

    /// <summary>The child is quiet between its two lines, and after them until its input ends.</summary>
    public override async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        using ChildProcess child = ChildProcess.Start(Arguments(run), run.Stop);
        int thread = await child.ReadAsync<int>().ConfigureAwait(false);
        long switches = ProcFile.VoluntarySwitches(child.Id, thread);
        IReadOnlyList<Reading> readings = await child.ReadAsync<IReadOnlyList<Reading>>().ConfigureAwait(false);
        switches = ProcFile.VoluntarySwitches(child.Id, thread) - switches;
        int calls = await SystemCallTrace.CountAsync(thread, TimeSpan.FromSeconds(run.Options.Seconds), run.Stop).ConfigureAwait(false);
        return [new Reading(WakeUps, null, switches), new Reading(SystemCalls, null, calls), .. readings];
    }

    protected override IReadOnlyList<Reading> Measure(TrialWork work)
    {
        using var loop = new TrialLoop(work.Driver);

        // The wait that strace interrupts makes the loop take a turn. Its code must have been compiled for good by then, or the calls that
        // patch it in would be taken for the loop's.
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < work.Warm)
            loop.Run(static () => Task.FromResult(true));

        int thread = loop.Run(() =>
        {
            loop.Loop.CallLater(TimeSpan.FromHours(1), static _ => { }, null);
            return Task.FromResult(LibC.ThreadId());
        });
        Console.Out.WriteLine(thread);

        // What the start left over (the compiler's background work, the pool's threads) is not the loop's.
        Thread.Sleep(TimeSpan.FromSeconds(1));
        long before = GC.GetTotalAllocatedBytes(precise: true);
        Thread.Sleep(work.Measure);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Report([new Reading(Allocated, null, allocated)]);
        Console.In.ReadToEnd();
        return [];
    }
}
