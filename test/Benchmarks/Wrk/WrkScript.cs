namespace LoopBridge.Benchmarks.Wrk;

/// <summary>
/// The Lua that makes wrk print lines we can read. <c>done</c> runs once at the end; without a <c>request</c> or <c>response</c>
/// function wrk sends a fixed request and enters Lua for none (cfg.dynamic in its wrk.c), so that plain load costs nothing more.
/// </summary>
internal static class WrkScript
{
    public const string SummaryMark = "SUMMARY";
    public const string LatencyMark = "LATENCY";

    private const string Done =
        $$"""
        done = function(summary, latency, requests)
            local e = summary.errors
            io.write(string.format("{{SummaryMark}} %d %d %d %d %d %d %d\n",
                summary.requests, summary.duration, e.connect, e.read, e.write, e.status, e.timeout))
            for i = 1, #latency do
                io.write(string.format("{{LatencyMark}} %d %d\n", latency(i)))
            end
        end

        """;

    /// <summary>For so many requests at a time; more than one are formatted once and sent as one string.</summary>
    public static string For(int depth) => depth == 1 ? Done : Done +
        $"""
        init = function(args)
            batch = string.rep(wrk.format(nil, wrk.path), {depth})
        end
        request = function() return batch end

        """;
}
