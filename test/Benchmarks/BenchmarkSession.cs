using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Trials;

namespace LoopBridge.Benchmarks;

/// <summary>All of it, from the checks to the tables.</summary>
internal static class BenchmarkSession
{
    public static async Task<int> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        var selection = Selection.Of(options.Only);
        Requirements.Check(selection);
        ScenarioMeasurer? scenarios = selection.Scenarios.Count == 0
            ? null
            : new ScenarioMeasurer(selection.Scenarios, await SampleApp.PrepareAsync(options, stop).ConfigureAwait(false), options, stop);
        // Read before the load, so that the machine's load average is not our own.
        var environs = Environs.Read(scenarios?.Sides ?? []);

        IReadOnlyList<Measurement> measurements = scenarios is null ? [] : await scenarios.MeasureAllAsync().ConfigureAwait(false);
        IReadOnlyList<TrialResult> trials = await TrialMeasurer.MeasureAllAsync(selection.Trials, options, stop).ConfigureAwait(false);

        Console.WriteLine();
        environs.Print(Console.Out);
        Describe(selection);
        scenarios?.Print(measurements, Console.Out);
        int missed = new TrialTable(trials).Print(selection.Trials, Console.Out);
        Disturbance.Warn([.. measurements.Select(m => m.OthersCores), .. trials.Select(t => t.OthersCores)], Console.Out);
        if (options.JsonFile is not null)
            await new JsonReport(environs, measurements, trials).WriteAsync(options.JsonFile, stop).ConfigureAwait(false);

        IEnumerable<string?> failures = [.. measurements.Select(m => m.Failure), .. trials.Select(t => t.Failure)];
        return ExitCodeFor(failures.Count(failure => failure is not null), measurements.Count + trials.Count, missed);
    }

    private static void Describe(Selection selection)
    {
        foreach (IScenario scenario in selection.Scenarios)
            Console.WriteLine($"{scenario.Name}: {scenario.Description}");
        foreach (ITrial trial in selection.Trials)
            Console.WriteLine($"{trial.Name}: {trial.Description}");
        Console.WriteLine();
    }

    private static int ExitCodeFor(int failed, int count, int missed)
    {
        if (failed > 0)
        {
            Console.Error.WriteLine($"{failed} of {count} measurements FAILED; see above.");
            return ExitCodes.MeasurementFailed;
        }

        if (missed > 0)
        {
            Console.Error.WriteLine($"{missed} marks were MISSED; see above.");
            return ExitCodes.MarkMissed;
        }

        return ExitCodes.Success;
    }
}
