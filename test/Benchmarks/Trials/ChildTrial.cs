using System.Globalization;
using System.Text.Json;
using LoopBridge.Benchmarks.Processes;
using LoopBridge.Benchmarks.Results;

namespace LoopBridge.Benchmarks.Trials;

/// <summary>
/// A trial within one process: a fresh child of this very program for each round. What one round leaves behind in memory or in compiled
/// code is not the next one's, and the child runs with the compiler's defaults, which ours are not.
/// </summary>
internal abstract class ChildTrial : ITrial
{
    /// <summary>The argument that makes this program the child: name, seconds, warm-up, whether left is first, driver.</summary>
    public const string Verb = "run-trial";

    public abstract string Name { get; }

    public abstract string Title { get; }

    public abstract string Description { get; }

    public abstract string Left { get; }

    public abstract string Right { get; }

    public abstract IReadOnlyList<Figure> Figures { get; }

    public virtual Tool? Tool => null;

    public virtual async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        using ChildProcess child = ChildProcess.Start(Arguments(run), run.Stop);
        return await child.ReadAsync<IReadOnlyList<Reading>>().ConfigureAwait(false);
    }

    /// <summary>The child's side.</summary>
    public static int RunChild(IReadOnlyList<string> args)
    {
        var trial = (ChildTrial)TrialList.All.First(candidate => candidate.Name == args[1]);
        var work = new TrialWork(
            Warm: TimeSpan.FromSeconds(int.Parse(args[3], CultureInfo.InvariantCulture)),
            Measure: TimeSpan.FromSeconds(int.Parse(args[2], CultureInfo.InvariantCulture)),
            LeftFirst: bool.Parse(args[4]),
            Driver: Enum.Parse<LoopDriver>(args[5], ignoreCase: true));

        // On a thread of its own: what is posted to the pool from one of its threads takes another way than what a stranger posts.
        var thread = new Thread(() => Report(trial.Measure(work))) { Name = trial.Name };
        thread.Start();
        thread.Join();
        return ExitCodes.Success;
    }

    /// <summary>In the child: one line for the parent.</summary>
    protected static void Report<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value));

    protected string[] Arguments(TrialRun run) =>
    [
        Verb,
        Name,
        run.Options.Seconds.ToString(CultureInfo.InvariantCulture),
        run.Options.WarmUpSeconds.ToString(CultureInfo.InvariantCulture),
        run.LeftFirst.ToString(),
        run.Options.Driver ?? nameof(LoopDriver.Auto),
    ];

    /// <summary>In the child, on a thread of its own.</summary>
    protected abstract IReadOnlyList<Reading> Measure(TrialWork work);
}
