using System.Globalization;
using System.Text;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>What the results say of one row on one stack.</summary>
public enum ContractState
{
    Passed,
    Failed,
    Skipped,
    Missing,
}

/// <summary>Rows × stacks: passed, failed, skipped with the reason, missing.</summary>
public static class ContractReport
{
    /// <summary>One line for each contract: the counts.</summary>
    public static string Summarize(IReadOnlyList<ContractRows> contracts, IReadOnlyList<ContractResult> results)
    {
        var text = new StringBuilder();
        foreach (ContractRows contract in contracts)
        {
            ContractState[] states = [.. contract.Rows.SelectMany(row => row.Stacks.Select(stack => StateOf(row, stack, results)))];
            text.Append(CultureInfo.InvariantCulture,
                $"{contract.Name}: {contract.Rows.Count} rows, {states.Length} with their stacks: {Count(ContractState.Passed)} passed, ");
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{Count(ContractState.Failed)} failed, {Count(ContractState.Skipped)} skipped, {Count(ContractState.Missing)} missing; rows not due yet: {contract.Rows.Count(row => row.NotYet is not null)}");
            int Count(ContractState state) => states.Count(each => each == state);
        }

        HashSet<string> known = [.. contracts.SelectMany(contract => contract.Rows).Select(row => row.Id)];
        int others = results.Select(result => result.Row).Where(row => !known.Contains(row)).Distinct().Count();
        text.AppendLine(CultureInfo.InvariantCulture, $"rows of contracts that have no list yet, with a test: {others}");
        return text.ToString();
    }

    /// <summary>The summary, what is not as it should be, and the whole matrix. Markdown.</summary>
    public static string Render(IReadOnlyList<ContractRows> contracts, IReadOnlyList<ContractResult> results)
    {
        var text = new StringBuilder("# Contract report\n\n");
        text.Append(Summarize(contracts, results)).Append('\n');
        foreach (ContractRows contract in contracts)
        {
            RenderExceptions(text, contract, results);
            RenderMatrix(text, contract, results);
        }

        return text.ToString();
    }

    /// <summary>Failed beats passed beats skipped: a row may have several tests, of which some do not suit a stack.</summary>
    internal static ContractState StateOf(ContractRow row, string stack, IReadOnlyList<ContractResult> results)
    {
        TestResult[] outcomes = [.. Of(row, stack, results).Select(result => result.Outcome)];
        return outcomes.Contains(TestResult.Failed) ? ContractState.Failed
            : outcomes.Contains(TestResult.Passed) ? ContractState.Passed
            : outcomes.Contains(TestResult.Skipped) ? ContractState.Skipped
            : ContractState.Missing;
    }

    // A row that needs no stack is proven by a test on any.
    private static IEnumerable<ContractResult> Of(ContractRow row, string stack, IReadOnlyList<ContractResult> results)
        => results.Where(result => result.Row == row.Id && (stack == ContractResult.NoStack || result.Stack == stack));

    private static void RenderExceptions(StringBuilder text, ContractRows contract, IReadOnlyList<ContractResult> results)
    {
        text.Append(CultureInfo.InvariantCulture, $"## {contract.Name}: failed, skipped, missing\n\n");
        foreach (ContractRow row in contract.Rows)
        {
            if (row.NotYet is { } why)
            {
                text.Append(CultureInfo.InvariantCulture, $"- {row.Id}: not due yet: {why}\n");
            }

            foreach (string stack in row.Stacks)
            {
                ContractState state = StateOf(row, stack, results);
                if (state == ContractState.Passed)
                {
                    continue;
                }

                string[] reasons = [.. Of(row, stack, results).Select(result => result.SkipReason ?? result.Test).Distinct()];
                text.Append(CultureInfo.InvariantCulture, $"- {row.Id} on {stack}: {Word(state)}. {string.Join("; ", reasons)}\n");
            }
        }

        text.Append('\n');
    }

    private static void RenderMatrix(StringBuilder text, ContractRows contract, IReadOnlyList<ContractResult> results)
    {
        string[] stacks = [.. contract.Rows.SelectMany(row => row.Stacks).Distinct()];
        text.Append(CultureInfo.InvariantCulture, $"## {contract.Name}: rows × stacks\n\n");
        text.Append(CultureInfo.InvariantCulture, $"| row | {string.Join(" | ", stacks)} | what must hold |\n");
        text.Append(CultureInfo.InvariantCulture, $"|---|{string.Concat(stacks.Select(_ => "---|"))}---|\n");
        foreach (ContractRow row in contract.Rows)
        {
            IEnumerable<string> cells = stacks.Select(stack => row.Stacks.Contains(stack) ? Word(StateOf(row, stack, results)) : "");
            text.Append(CultureInfo.InvariantCulture,
                $"| {row.Id} | {string.Join(" | ", cells)} | {row.Text.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }

        text.Append('\n');
    }

    private static string Word(ContractState state) => state switch
    {
        ContractState.Passed => "passed",
        ContractState.Failed => "FAILED",
        ContractState.Skipped => "skipped",
        _ => "MISSING",
    };
}
