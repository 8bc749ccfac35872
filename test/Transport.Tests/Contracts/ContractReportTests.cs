using LoopBridge.Testing;

namespace LoopBridge.Transport.Tests.Contracts;

/// <summary>What the report makes of rows and results.</summary>
public sealed class ContractReportTests
{
    private static readonly IReadOnlyList<ContractRow> Rows = ContractRows.Parse(
    [
        "# a remark",
        "stacks: top bottom",
        "X-1 on every stack",
        "X-2 [once] needs no stack",
        "X-3 [top] on one",
        "X-4 [not yet: nobody asked] later",
    ]);

    [Fact]
    public void Parse_Marks_SayWhichStacksCount()
    {
        Assert.Equal(["X-1", "X-2", "X-3", "X-4"], Rows.Select(row => row.Id));
        Assert.Equal(["top", "bottom"], Rows[0].Stacks);
        Assert.Equal([ContractResult.NoStack], Rows[1].Stacks);
        Assert.Equal("needs no stack", Rows[1].Text);
        Assert.Equal(["top"], Rows[2].Stacks);
        Assert.Empty(Rows[3].Stacks);
        Assert.Equal("nobody asked", Rows[3].NotYet);
    }

    [Theory]
    [InlineData("", ContractState.Missing)]
    [InlineData("Skipped", ContractState.Skipped)]
    [InlineData("Skipped Passed", ContractState.Passed)]
    [InlineData("Passed Failed", ContractState.Failed)]
    [InlineData("Passed NotRun", ContractState.Passed)]
    public void StateOf_SeveralTests_FailedBeatsPassedBeatsSkipped(string outcomes, ContractState expected)
    {
        ContractResult[] results = [.. outcomes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(outcome => Result("X-1", "top", outcome))];
        Assert.Equal(expected, ContractReport.StateOf(Rows[0], "top", results));
        Assert.Equal(ContractState.Missing, ContractReport.StateOf(Rows[0], "bottom", results));
    }

    [Fact]
    public void Summarize_CountsRowsTimesStacks()
    {
        ContractResult[] results = [Result("X-1", "top", "Passed"), Result("X-1", "bottom", "Skipped"), Result("X-2", "bottom", "Passed"), Result("Y-1", "-", "Passed")];
        string summary = ContractReport.Summarize([new ContractRows("x", Rows)], results);
        Assert.Contains("x: 4 rows, 4 with their stacks: 2 passed, 0 failed, 1 skipped, 1 missing; rows not due yet: 1", summary, StringComparison.Ordinal);
        Assert.Contains("no list yet, with a test: 1", summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_SkippedRow_SaysWhy()
    {
        ContractResult[] results = [Result("X-1", "top", "Skipped") with { SkipReason = "no such thing here" }];
        string report = ContractReport.Render([new ContractRows("x", Rows)], results);
        Assert.Contains("- X-1 on top: skipped. no such thing here", report, StringComparison.Ordinal);
        Assert.Contains("| X-1 | skipped | MISSING |  | on every stack |", report, StringComparison.Ordinal);
    }

    [Fact]
    public void All_LoopContract_HasEachRowOnce()
    {
        ContractRows loop = Assert.Single(ContractRows.All, contract => contract.Name == "loop");
        Assert.Equal(228, loop.Rows.Select(row => row.Id).Distinct().Count());
        Assert.Equal(228, loop.Rows.Count);
    }

    private static ContractResult Result(string row, string stack, string outcome)
        => new(row, stack, Enum.Parse<TestResult>(outcome), "a test", SkipReason: null);
}
