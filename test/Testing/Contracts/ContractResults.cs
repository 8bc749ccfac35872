using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>How one run of one test ended, for one of the rows that it names.</summary>
public sealed record ContractResult(string Row, string Stack, TestResult Outcome, string Test, string? SkipReason)
{
    /// <summary>The stack of a test that takes none.</summary>
    public const string NoStack = "-";
}

/// <summary>The results of this test assembly, and the files of all of them.</summary>
public static class ContractResults
{
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };
    private static readonly ConcurrentQueue<ContractResult> Noted = new();

    public static void Add(ContractResult result) => Noted.Enqueue(result);

    /// <summary>Writes this assembly's results; false if there are none, as when tests were only listed.</summary>
    public static bool Write(string folder, string assembly)
    {
        if (Noted.IsEmpty)
        {
            return false;
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(
            Path.Combine(folder, assembly + ".json"),
            JsonSerializer.Serialize(Noted.OrderBy(result => result.Row, StringComparer.Ordinal).ThenBy(result => result.Stack), Format));
        return true;
    }

    /// <summary>The results of every assembly that wrote some.</summary>
    public static IReadOnlyList<ContractResult> Read(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*.json")
            .Order(StringComparer.Ordinal)
            .SelectMany(file => JsonSerializer.Deserialize<ContractResult[]>(File.ReadAllText(file), Format)!),
    ];
}
