using LoopBridge.Benchmarks.CommandLine;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Trials;

namespace LoopBridge.Benchmarks;

/// <summary>All of it, from the checks to the table.</summary>
internal static class BenchmarkSession
{
    public static async Task<int> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        OutputFiles.Prepare(options);
        if (options.From.Count > 0)
        {
            await PublishAsync(await Report.ReadAsync(options.From, stop).ConfigureAwait(false), options, stop).ConfigureAwait(false);
            return ExitCodes.Success;
        }

        (Selection selection, IReadOnlyList<LeftOut> leftOut) = Requirements.Check(Selection.Of(options), options.Only.Count > 0);
        ScenarioMeasurer? scenarios = selection.Scenarios.Count == 0
            ? null
            : new ScenarioMeasurer(selection.Scenarios, await SampleApp.PrepareAsync(options, stop).ConfigureAwait(false), options, stop);
        // Read before the load, so that the machine's load average is not our own.
        var environs = Environs.Read(scenarios?.Sides ?? []);

        IReadOnlyList<Measurement> measurements = scenarios is null ? [] : await scenarios.MeasureAllAsync().ConfigureAwait(false);
        IReadOnlyList<TrialResult> trials = await TrialMeasurer.MeasureAllAsync(selection.Trials, options, stop).ConfigureAwait(false);
        Row[] rows = [.. scenarios?.Rows(measurements) ?? [], .. TrialRows.Of(selection.Trials, trials)];

        Describe(selection);
        await PublishAsync(new Report(environs, rows, leftOut, measurements, trials), options, stop).ConfigureAwait(false);
        Disturbance.Warn([.. measurements.Select(m => m.OthersCores), .. trials.Select(t => t.OthersCores)], Console.Out);

        IEnumerable<string?> failures = [.. measurements.Select(m => m.Failure), .. trials.Select(t => t.Failure)];
        int missed = rows.Count(row => row.IsMet == false);
        return ExitCodeFor(failures.Count(failure => failure is not null), measurements.Count + trials.Count, missed);
    }

    private static async Task PublishAsync(Report report, BenchmarkOptions options, CancellationToken stop)
    {
        Console.WriteLine();
        report.Environment.Print(Console.Out);
        Console.WriteLine();
        TextTable.Print(report.Rows, report.LeftOut, Console.Out);
        await OutputFiles.WriteAsync(report, options, stop).ConfigureAwait(false);
    }

    private static void Describe(Selection selection)
    {
        Console.WriteLine();
        foreach (IScenario scenario in selection.Scenarios)
            Console.WriteLine($"{scenario.Name}: {scenario.Description}");
        foreach (ITrial trial in selection.Trials)
            Console.WriteLine($"{trial.Name}: {trial.Description}");
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
