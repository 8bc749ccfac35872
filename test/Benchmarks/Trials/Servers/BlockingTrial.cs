using LoopBridge.Benchmarks.ClosedLoop;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>
/// What handlers that block leave of a server to the others, on one loop. Each side begins without them; then they come, and the same
/// connections go on; then others take these connections' place while they are still there.
/// </summary>
internal sealed class BlockingTrial : ITrial
{
    private const int Others = 32;
    private const int Blockers = 8;
    private const string BlockingPath = "/block?ms=100";
    private const string Measured = "Adaptive";

    /// <summary>Who overstays is found out within it; latencies count from then on.</summary>
    private static readonly TimeSpan Learning = TimeSpan.FromSeconds(1);

    private static readonly string[] Sides = [Variant.Stock, "ThreadPool", "Inline", Measured];
    private static readonly string[] Connections = ["made before", "made during"];

    public string Name => "blocking";

    public string Title => $"{Blockers} connections call {BlockingPath} without pause on one loop: plaintext on {Others} others";

    public string Description
        => $"one loop; GET /plaintext on {Others} connections without pause, alone and while {Blockers} others call {BlockingPath}, for"
            + $" connections made before these and during; latencies from {Learning.TotalSeconds:0} s after their beginning, with the age of what"
            + " is not answered in the end";

    public string Left => "itself without them";

    public string Right => "with them";

    public IReadOnlyList<Figure> Figures { get; } =
    [
        .. Sides.SelectMany(side => Connections.SelectMany(IEnumerable<Figure> (connections) =>
        [
            new Figure(PerSecond(side, connections), "#,0", side == Measured ? Mark.AtLeast(0.7) : null)
            {
                Chart = ChartGroup.Kept,
                ChartLabel = $"{side}, connections {connections}",
            },
            new Figure(P99(side, connections), "#,0", side == Measured ? Mark.AtMost(3) : null),
        ]).Append(new Figure(Blocked(side), "0.0") { IsDetail = true })),
    ];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        IReadOnlyDictionary<string, IReadOnlyList<Reading>> readings = await SampleServer.MeasureEachAsync(
            run,
            [.. Sides.Select(side => VariantOf(side, run))],
            server => Task.Factory.StartNew(() => Measure(server, run), run.Stop, TaskCreationOptions.LongRunning, TaskScheduler.Default))
            .ConfigureAwait(false);
        return [.. Sides.SelectMany(side => readings[side].Select(reading => reading with { Figure = $"{side}, {reading.Figure}" }))];
    }

    private static string PerSecond(string side, string connections) => $"{side}, requests/s, {connections}";

    private static string P99(string side, string connections) => $"{side}, p99 µs, {connections}";

    private static string Blocked(string side) => $"{side}, blocking requests/s";

    private static Variant VariantOf(string side, TrialRun run)
        => side == Variant.Stock
            ? new Variant(side, ["--LoopBridge:Enabled=false"])
            : new Variant(side, [.. Variant.LoopBridge(run.Options with { Scheduling = side, Loops = 1 }).Arguments]);

    private static IReadOnlyList<Reading> Measure(ServerProcess server, TrialRun run)
    {
        var warmUp = TimeSpan.FromSeconds(run.Options.WarmUpSeconds);
        var time = TimeSpan.FromSeconds(Math.Max(run.Options.Seconds, Learning.TotalSeconds + 1));
        Phase alone, before, during;
        using var blockers = new BlockingLoad(server.Ports[EndpointPorts.Web], Blockers, BlockingPath);
        using (var connections = new HttpConnections(server.Ports[EndpointPorts.Web], Others, "/plaintext"))
        using (var load = new ClosedLoopLoad(connections, run.Stop))
        {
            load.Play(warmUp);
            alone = load.Play(time);
            blockers.Start();
            before = load.PlayLearning(Learning, time);
            Check(load);
        }

        using (var connections = new HttpConnections(server.Ports[EndpointPorts.Web], Others, "/plaintext"))
        using (var load = new ClosedLoopLoad(connections, run.Stop))
        {
            during = load.PlayLearning(Learning, time);
            Check(load);
        }

        double blocked = blockers.StopAndCount();
        return
        [
            new Reading($"requests/s, {Connections[0]}", alone.PerSecond, before.PerSecond),
            new Reading($"p99 µs, {Connections[0]}", alone.P99Micros, before.P99Micros),
            new Reading($"requests/s, {Connections[1]}", alone.PerSecond, during.PerSecond),
            new Reading($"p99 µs, {Connections[1]}", alone.P99Micros, during.P99Micros),
            new Reading("blocking requests/s", null, blocked),
        ];
    }

    private static void Check(ClosedLoopLoad load)
    {
        if (load.Errors > 0)
            throw new MeasurementException($"{load.Errors} errors ({load.ErrorDetail})");
    }
}
