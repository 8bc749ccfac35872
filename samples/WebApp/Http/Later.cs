using LoopBridge.Reactors;

namespace WebApp.Http;

/// <summary>Answers when a timer of the connection's reactor has fired.</summary>
internal static class Later
{
    private const int LongestMilliseconds = 60_000;

    internal static async Task<IResult> AnswerAsync(IReactor reactor, int ms = 100)
    {
        if (ms is < 0 or > LongestMilliseconds)
        {
            return Results.ValidationProblem(new Dictionary<string, string[]> { ["ms"] = [$"Use 0 to {LongestMilliseconds}."] });
        }

        var fired = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);

        // An HTTP handler may run on any thread; the reactor's calls belong to its own.
        reactor.CallFromThread(() =>
        {
            TimeSpan asked = reactor.Time;
            reactor.CallLater(TimeSpan.FromMilliseconds(ms), () => fired.SetResult(reactor.Time - asked));
        });
        TimeSpan waited = await fired.Task;
        return Results.Ok(new { Milliseconds = ms, Waited = waited.TotalMilliseconds });
    }
}
