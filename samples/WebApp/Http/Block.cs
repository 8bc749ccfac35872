namespace WebApp.Http;

/// <summary>Blocks its thread, as code does that waits without <c>await</c>: to see what becomes of the other requests.</summary>
internal static class Block
{
    private const int LongestMilliseconds = 60_000;

    internal static IResult Answer(int ms = 100)
    {
        if (ms is < 0 or > LongestMilliseconds)
        {
            return Results.ValidationProblem(new Dictionary<string, string[]> { ["ms"] = [$"Use 0 to {LongestMilliseconds}."] });
        }

        Thread.Sleep(ms);
        return Results.Text($"{ms}");
    }
}
