using LoopBridge.Benchmarks.ClosedLoop;
using LoopBridge.Benchmarks.Results;
using LoopBridge.Benchmarks.Servers;
using LoopBridge.Benchmarks.Servers.Probing;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>
/// What a keep-alive connection costs that has nothing to say: the process's own memory with ten thousand of them, less that before, each
/// time after a collection that gives back what is free. The kernel's memory for the sockets is not in it, and the same on both sides.
/// </summary>
internal sealed class IdleConnectionsTrial : ITrial
{
    private const int Connections = 10_000;

    /// <summary>As many as are opened at a time: more at once would measure the buffers of a rush.</summary>
    private const int Batch = 50;

    /// <summary>Before the first reading, so that it has in it what any connections leave behind: compiled code, pools.</summary>
    private const int Rehearsed = 500;

    /// <summary>
    /// Kestrel's memory pool gives blocks back on the server's heartbeat, after some seconds (PinnedBlockMemoryPool); the connections stay
    /// within the keep-alive timeout of 130 s.
    /// </summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan BatchDeadline = TimeSpan.FromSeconds(10);

    private static readonly Figure Resident = new("bytes resident/connection", "#,0", Mark.AtMost(0.6))
    {
        Chart = ChartGroup.LessIsBetter,
        ChartLabel = "memory of an idle HTTP connection",
    };

    private static readonly Figure Managed = new("bytes of objects/connection", "#,0");

    public string Name => "idle-connections";

    public string Title => $"{Connections:#,0} idle HTTP/1.1 connections";

    public string Description
        => $"{Connections:#,0} connections, one GET /plaintext on each, then silence for {Settling.TotalSeconds:0} s and a full collection:"
            + " what the process has resident of its own (RssAnon), and the bytes of all live objects, more than before, for each connection";

    public string Left => Variant.Stock;

    public string Right => "LoopBridge";

    public IReadOnlyList<Figure> Figures { get; } = [Resident, Managed];

    public async Task<IReadOnlyList<Reading>> MeasureAsync(TrialRun run)
    {
        IReadOnlyDictionary<string, (double Resident, double Managed)> costs = await SampleServer
            .MeasureEachAsync(run, SampleServer.Sides(run), server => MeasureAsync(server, run.Stop), withProbe: true)
            .ConfigureAwait(false);
        return
        [
            SampleServer.Compare(Resident, run, costs, cost => cost.Resident),
            SampleServer.Compare(Managed, run, costs, cost => cost.Managed),
        ];
    }

    private static async Task<(double Resident, double Managed)> MeasureAsync(ServerProcess server, CancellationToken stop)
    {
        ServerProbe probe = server.Probe();
        var connections = new List<HttpConnections>();
        try
        {
            await OpenAsync(server, connections, Rehearsed, stop).ConfigureAwait(false);
            Close(connections);
            (long residentBefore, long managedBefore) = await ReadAsync(server, probe, stop).ConfigureAwait(false);

            await OpenAsync(server, connections, Connections, stop).ConfigureAwait(false);
            (long resident, long managed) = await ReadAsync(server, probe, stop).ConfigureAwait(false);
            int still = connections.Sum(CountAlive);
            return still == Connections
                ? ((double)(resident - residentBefore) / Connections, (double)(managed - managedBefore) / Connections)
                : throw new MeasurementException($"Only {still} of {Connections} connections were still there in the end.");
        }
        finally
        {
            Close(connections);
        }
    }

    private static Task OpenAsync(ServerProcess server, List<HttpConnections> connections, int count, CancellationToken stop)
        => Task.Factory.StartNew(() =>
        {
            for (int done = 0; done < count; done += Batch)
            {
                var batch = new HttpConnections(server.Ports[EndpointPorts.Web], Batch, "/plaintext");
                connections.Add(batch);
                new Exchange(batch, stop).Run(BatchDeadline);
            }
        }, stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static async Task<(long Resident, long Managed)> ReadAsync(ServerProcess server, ServerProbe probe, CancellationToken stop)
    {
        await Task.Delay(Settling, stop).ConfigureAwait(false);
        long managed = await probe.LiveAsync(stop).ConfigureAwait(false);
        return (ProcFile.PrivateBytes(server.Id), managed);
    }

    // One that the server has closed meanwhile has an end to read.
    private static int CountAlive(HttpConnections connections)
        => Enumerable.Range(0, connections.Count).Count(i => connections.Receive(i) == ConnectionStep.Partial);

    private static void Close(List<HttpConnections> connections)
    {
        connections.ForEach(each => each.Dispose());
        connections.Clear();
    }
}
