using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

/// <summary>How many cases a run has, and where it begins.</summary>
internal static class FuzzRun
{
    /// <summary>How many cases a whole run has, instead of 10 000; tests that are slower have a share of it.</summary>
    internal const string CasesVariable = "LOOPBRIDGE_FUZZ_CASES";

    /// <summary>The seed that a failure printed, two numbers with a comma between, or three to begin at the failing case.</summary>
    internal const string SeedVariable = "LOOPBRIDGE_FUZZ_SEED";

    private const int DefaultCases = 10_000;

    /// <summary>Fails with the seed, the case and its shrunk form.</summary>
    internal static void Check(double share, Action<FuzzCase> run) => Check(share, Prop.ForAll(FuzzGenerator.Cases, run));

    /// <inheritdoc cref="Check(double, Action{FuzzCase})"/>
    internal static void Check(double share, Func<FuzzCase, Task> run) => Check(share, Prop.ForAll(FuzzGenerator.Cases, run));

    private static void Check(double share, Property property)
    {
        string? wanted = Environment.GetEnvironmentVariable(CasesVariable);
        int cases = wanted is null ? DefaultCases : int.Parse(wanted, CultureInfo.InvariantCulture);
        Config config = Config.QuickThrowOnFailure.WithMaxTest(Math.Max(1, (int)(cases * share)))
            .WithStartSize(1).WithEndSize(30).WithQuietOnSuccess(true);
        FsCheck.Check.One(Seeded(config), property);
    }

    private static Config Seeded(Config config)
    {
        if (Environment.GetEnvironmentVariable(SeedVariable) is not { } seed)
        {
            return config;
        }

        ulong[] numbers = [.. seed.Trim('(', ')').Split(',').Select(number => ulong.Parse(number, CultureInfo.InvariantCulture))];
        return numbers.Length == 3
            ? config.WithReplay(numbers[0], numbers[1], (int)numbers[2])
            : config.WithReplay(numbers[0], numbers[1]);
    }
}
