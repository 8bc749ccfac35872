using System.Globalization;

namespace LoopBridge.Benchmarks.CommandLine;

/// <summary>Reads the command line. A mistake is told at once, before minutes of measuring go by.</summary>
internal static class OptionsParser
{
    /// <summary>The options, or null if help was asked for.</summary>
    public static BenchmarkOptions? Parse(IReadOnlyList<string> args)
    {
        var options = new BenchmarkOptions();
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            switch (name)
            {
                case "--help" or "-h":
                    return null;
                case "--no-build":
                    options = options with { NoBuild = true };
                    break;
                case "--table":
                    options = options with { IsTable = true };
                    break;
                default:
                    options = Apply(options, name, () => ++i < args.Count ? args[i] : throw Wrong($"{name} needs a value."));
                    break;
            }
        }

        return options;
    }

    private static BenchmarkOptions Apply(BenchmarkOptions options, string name, Func<string> value) => name switch
    {
        "--rounds" => options with { Rounds = Number(name, value(), 1) },
        "--seconds" => options with { Seconds = Number(name, value(), 1) },
        "--warm-up" => options with { WarmUpSeconds = Number(name, value(), 0) },
        "--only" => options with { Only = Names(value()) },
        "--from" => options with { From = [.. Names(value()).Select(Path.GetFullPath)] },
        "--driver" => options with { Driver = value() },
        "--scheduling" => options with { Scheduling = value() },
        "--loops" => options with { Loops = Number(name, value(), 1) },
        "--with" => options with { With = Words(value()) },
        "--against" => options with { Against = Words(value()) },
        "--app" => options with { App = Path.GetFullPath(value()) },
        "--json" => options with { JsonFile = Path.GetFullPath(value()) },
        "--svg" => options with { SvgFile = Path.GetFullPath(value()) },
        "--markdown" => options with { MarkdownFile = Path.GetFullPath(value()) },
        _ => throw Wrong($"Unknown option '{name}'."),
    };

    private static int Number(string name, string text, int least)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least
            ? number
            : throw Wrong($"{name} takes a whole number of at least {least}, not '{text}'.");

    private static string[] Names(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string[] Words(string text)
        => text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static BenchmarkException Wrong(string what) => new($"{what} See --help.");
}
