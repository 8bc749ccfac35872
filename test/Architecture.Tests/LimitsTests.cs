using System.Globalization;
using System.Reflection;
using LoopBridge.Loops;
using LoopBridge.Processes;

namespace LoopBridge.Architecture.Tests;

/// <summary>The README's tables of limits and of options tell what the code does when nothing is said.</summary>
public sealed class LimitsTests
{
    private const string LimitsHeading = "## Limits and defaults";
    private const string OptionsHeading = "## Options";
    private const string None = "none";

    // For tests of applications: nothing that a stranger could reach.
    private const string TestKit = "LoopBridge.Manual";

    private static readonly Type[] PublicTypes =
        [.. typeof(EventLoop).Assembly.GetExportedTypes(), .. typeof(ILoopHandler).Assembly.GetExportedTypes()];

    [Fact]
    public void LimitsTable_TellsTheDefaultsOfTheCode()
    {
        foreach ((string option, string value) in Rows(LimitsHeading))
        {
            string[] name = option.Split('.');
            Type? type = PublicTypes.FirstOrDefault(each => each.Name == name[0]);
            Assert.True(type is not null && name.Length == 2, $"The table names {option}, which is no public type and property.");
            PropertyInfo? property = type.GetProperty(name[1]);
            Assert.True(property is not null, $"The table names {option}, which does not exist.");
            Assert.True(value == DefaultOf(type, property), $"The table says that {option} is {value}; it is {DefaultOf(type, property)}.");
        }
    }

    [Fact]
    public void LimitsTable_HasEveryLimitOfTheOptions()
    {
        string[] limits =
        [
            .. PublicTypes.Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal) && type.Namespace != TestKit)
                .SelectMany(type => type.GetProperties().Where(IsLimit).Select(property => $"{type.Name}.{property.Name}")),
        ];

        Assert.True(limits.Length > 20, $"Only {limits.Length} limits were found: are they still recognized?");
        Assert.Empty(limits.Except(Rows(LimitsHeading).Select(row => row.Option)));
    }

    [Fact]
    public void OptionsTable_TellsTheDefaultsOfTheCode()
    {
        (string Option, string Value)[] rows = [.. Rows(OptionsHeading).Where(row => OptionNamed(row.Option) is not null)];

        Assert.True(rows.Length > 10, $"Only {rows.Length} options were found: is the table still read right?");
        foreach ((string option, string value) in rows)
        {
            string real = DefaultOf(typeof(LoopBridgeOptions), OptionNamed(option)!);
            Assert.True(value == real, $"The table says that {option} is {value}; it is {real}.");
        }
    }

    [Theory]
    [InlineData("MaxBufferSize", 65536, "64 KiB")]
    [InlineData("MaxBufferSize", 1000, "1,000")]
    [InlineData("MaxCallers", 65536, "65,536")]
    [InlineData("Backlog", 512, "512")]
    [InlineData("Limit", null, None)]
    [InlineData("Flag", true, "true")]
    public void Text_IsAsTheReadmeWritesIt(string property, object? value, string text) => Assert.Equal(text, Text(property, value));

    [Theory]
    [InlineData(30_000, "30 s")]
    [InlineData(120_000, "120 s")]
    [InlineData(20, "20 ms")]
    public void Text_OfATime_IsAsTheReadmeWritesIt(int milliseconds, string text)
        => Assert.Equal(text, Text("Limit", TimeSpan.FromMilliseconds(milliseconds)));

    private static PropertyInfo? OptionNamed(string name) => typeof(LoopBridgeOptions).GetProperty(name);

    // A first cell that is one piece of code, and the cell behind it.
    private static IEnumerable<(string Option, string Value)> Rows(string heading)
        => from line in RepositoryRoot.ReadmeSection(heading)
           where line.StartsWith("| `", StringComparison.Ordinal)
           let cells = line.Split('|', StringSplitOptions.TrimEntries)
           select (cells[1].Trim('`'), cells[2].Trim('`'));

    private static bool IsLimit(PropertyInfo property)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return property.SetMethod is { IsPublic: true } && (type == typeof(int) || type == typeof(long) || type == typeof(TimeSpan));
    }

    // An abstract class tells its default by a constant.
    private static string DefaultOf(Type type, PropertyInfo property)
        => Text(property.Name, type.IsAbstract
            ? type.GetField($"Default{property.Name}")!.GetRawConstantValue()
            : property.GetValue(Make(type)));

    private static object Make(Type type)
        => type == typeof(WorkerProcessesOptions)
            ? new WorkerProcessesOptions(new LoopProcessStartInfo("worker"))
            : Activator.CreateInstance(type)!;

    private static string Text(string property, object? value) => value switch
    {
        null => None,
        bool flag => flag ? "true" : "false",
        Enum choice => choice.ToString(),
        TimeSpan time when time < TimeSpan.FromSeconds(1) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        TimeSpan time => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
        int count when property == nameof(WorkerProcessesOptions.Count) && count == Environment.ProcessorCount => "one for each core",
        _ => Number(property, Convert.ToInt64(value, CultureInfo.InvariantCulture)),
    };

    private static string Number(string property, long value)
    {
        const long KiB = 1024;
        const long MiB = KiB * KiB;
        bool isSize = new[] { "Size", "Bytes", "Length" }.Any(word => property.EndsWith(word, StringComparison.Ordinal));
        return isSize && value > 0 && value % MiB == 0 ? string.Create(CultureInfo.InvariantCulture, $"{value / MiB} MiB")
            : isSize && value > 0 && value % KiB == 0 ? string.Create(CultureInfo.InvariantCulture, $"{value / KiB} KiB")
            : value.ToString("#,0", CultureInfo.InvariantCulture);
    }
}
