using System.Diagnostics;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.Echo;

/// <summary>
/// Ping-pong on all connections from one thread: a message is sent when the one before has come back. Two system calls per message and
/// one wait per batch, which is as cheap as a client gets; what is measured is then the server.
/// </summary>
internal sealed class EchoLoad(EchoConnections connections, CancellationToken stop)
{
    /// <summary>How often the loop looks at its clock and at Ctrl-C when nothing comes back.</summary>
    private const int LookUpMilliseconds = 100;

    private readonly LatencyHistogram _latencies = new();
    private long _wrong;
    private long _lost;

    public LoadResult Run(TimeSpan warmUp, TimeSpan measure, CpuMeter cpu)
    {
        using var ready = new EpollSet(connections.Count);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < connections.Count; i++)
        {
            ready.Add(connections[i].Descriptor, i);
            Send(i, start);
        }

        PlayUntil(start + Ticks(warmUp), ready);
        ForgetWarmUp();

        cpu.Start();
        long began = Stopwatch.GetTimestamp();
        PlayUntil(began + Ticks(measure), ready);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return Result(seconds, cpu.Stop());
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private void PlayUntil(long end, EpollSet ready)
    {
        while (Stopwatch.GetTimestamp() < end && _lost < connections.Count)
        {
            stop.ThrowIfCancellationRequested();
            int count = ready.Wait(LookUpMilliseconds);
            for (int i = 0; i < count; i++)
                Take(ready.ReadyIndex(i));
        }
    }

    private void Take(int index)
    {
        switch (connections.Receive(index))
        {
            case EchoStep.Whole:
                long now = Stopwatch.GetTimestamp();
                _latencies.Record(now - connections[index].SentAt);
                connections[index].Echoes++;
                Send(index, now);
                break;
            case EchoStep.Wrong:
                _wrong++;
                Send(index, Stopwatch.GetTimestamp());
                break;
            case EchoStep.Lost:
                Lose(index);
                break;
            case EchoStep.Partial:
                break;
        }
    }

    private void Send(int index, long now)
    {
        if (!connections.Send(index, now))
            Lose(index);
    }

    private void Lose(int index)
    {
        _lost++;
        connections.Drop(index);
    }

    // Errors are kept: one during the warm-up is as wrong as one after.
    private void ForgetWarmUp()
    {
        _latencies.Clear();
        for (int i = 0; i < connections.Count; i++)
            connections[i].Echoes = 0;
    }

    private LoadResult Result(double seconds, double cpuSeconds)
    {
        // A connection without a single echo hangs; the others' throughput would hide it.
        long silent = Enumerable.Range(0, connections.Count).LongCount(i => connections[i].Echoes == 0);
        return new LoadResult
        {
            Operations = _latencies.Count,
            Seconds = seconds,
            CpuSeconds = cpuSeconds,
            P50Micros = _latencies.PercentileMicros(0.50),
            P99Micros = _latencies.PercentileMicros(0.99),
            Errors = _wrong + _lost + silent,
            ErrorDetail = $"wrong bytes {_wrong}, connections lost {_lost}, connections without any echo {silent}",
        };
    }
}
