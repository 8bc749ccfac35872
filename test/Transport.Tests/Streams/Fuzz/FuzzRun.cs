using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

/// <summary>How many cases a run has, and where it begins.</summary>
internal static class FuzzRun
{
    /// <summary>More or fewer cases than the test's own number.</summary>
    internal const string CasesVariable = "LOOPBRIDGE_FUZZ_CASES";

    /// <summary>The seed that a failure printed, two numbers with a comma between, or three to begin at the failing case.</summary>
    internal const string SeedVariable = "LOOPBRIDGE_FUZZ_SEED";

    /// <summary>Fails with the seed, the case and its shrunk form.</summary>
    internal static void Check(int defaultCases, Action<FuzzCase> run)
    {
        string? wanted = Environment.GetEnvironmentVariable(CasesVariable);
        int cases = wanted is null ? defaultCases : int.Parse(wanted, CultureInfo.InvariantCulture);
        Config config = Config.QuickThrowOnFailure.WithMaxTest(cases).WithStartSize(1).WithEndSize(30).WithQuietOnSuccess(true);
        FsCheck.Check.One(Seeded(config), Prop.ForAll(FuzzGenerator.Cases, run));
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
