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

    /// <summary>For that request; several at a time are formatted once and sent as one string, and so is a body.</summary>
    public static string For(WrkRequest request)
    {
        string script = Done;
        if (request.OwnConnections)
            script += "wrk.headers[\"Connection\"] = \"close\"\n";
        if (request.UploadBytes > 0)
            script += $"wrk.method = \"POST\"\nwrk.body = string.rep(\"x\", {request.UploadBytes})\n";
        if (request.Depth > 1)
        {
            script +=
                $"""
                init = function(args)
                    batch = string.rep(wrk.format(nil, wrk.path), {request.Depth})
                end
                request = function() return batch end

                """;
        }

        return script;
    }
}
