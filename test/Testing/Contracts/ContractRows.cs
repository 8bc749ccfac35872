using System.Reflection;

namespace LoopBridge.Testing;

/// <summary>One row: what must hold, over which stacks a test must show it, and why on none yet.</summary>
public sealed record ContractRow(string Id, string Text, IReadOnlyList<string> Stacks, string? NotYet);

/// <summary>
/// The rows of one contract, from <c>Rows/NAME.txt</c>. A line is an id and what must hold. <c>stacks:</c> lists over which stacks the
/// rows below must be shown; <c>[once]</c> before the text marks a row that needs no stack, <c>[N/epoll]</c> and the like one that binds
/// some stacks only, <c>[not yet: why]</c> one that nothing must show so far. <c>#</c> begins a remark.
/// </summary>
public sealed record ContractRows(string Name, IReadOnlyList<ContractRow> Rows)
{
    private const string Once = "once";
    private const string NotYet = "not yet: ";

    /// <summary>Every contract that has a file.</summary>
    public static IReadOnlyList<ContractRows> All { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(name => name.StartsWith("Rows.", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(Load),
    ];

    private static ContractRows Load(string resource)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!);
        string name = resource.Split('.')[1];
        return new ContractRows(name, Parse(reader.ReadToEnd().Split('\n')));
    }

    internal static IReadOnlyList<ContractRow> Parse(IEnumerable<string> lines)
    {
        var rows = new List<ContractRow>();
        string[] stacks = [ContractResult.NoStack];
        foreach (string line in lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (line.StartsWith("stacks:", StringComparison.Ordinal))
            {
                stacks = line["stacks:".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                continue;
            }

            string[] parts = line.Split(' ', 2);
            string text = parts[1];
            string[] own = stacks;
            string? notYet = null;
            if (text[0] == '[')
            {
                int end = text.IndexOf(']', StringComparison.Ordinal);
                string mark = text[1..end];
                notYet = mark.StartsWith(NotYet, StringComparison.Ordinal) ? mark[NotYet.Length..] : null;
                own = notYet is not null ? []
                    : mark == Once ? [ContractResult.NoStack]
                    : mark.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                text = text[(end + 1)..].TrimStart();
            }

            rows.Add(new ContractRow(parts[0], text, own, notYet));
        }

        return rows;
    }
}
