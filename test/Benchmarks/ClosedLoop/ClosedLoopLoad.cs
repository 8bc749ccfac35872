using System.Diagnostics;
using LoopBridge.Benchmarks.Scenarios;
using LoopBridge.Benchmarks.Servers;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>
/// Ping-pong on all connections from one thread: a message is sent when the answer to the one before has come. Two system calls per
/// message and one wait per batch, which is as cheap as a client gets; what is measured is then the server.
/// </summary>
internal sealed class ClosedLoopLoad : IDisposable
{
    /// <summary>How often the loop looks at its clock and at Ctrl-C when nothing comes back.</summary>
    private const int LookUpMilliseconds = 100;

    private readonly ClosedLoopConnections _connections;
    private readonly CancellationToken _stop;
    private readonly EpollSet _ready;
    private readonly LatencyHistogram _latencies = new();
    private long _wrong;
    private long _lost;

    /// <summary>Sends the first message on each connection.</summary>
    public ClosedLoopLoad(ClosedLoopConnections connections, CancellationToken stop)
    {
        _connections = connections;
        _stop = stop;
        _ready = new EpollSet(connections.Count);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < connections.Count; i++)
        {
            _ready.Add(connections[i].Descriptor, i);
            Send(i, start);
        }
    }

    /// <summary>Everything that did not go as it should, since the beginning.</summary>
    public long Errors => _wrong + _lost;

    public string ErrorDetail => $"wrong answers {_wrong}, connections lost {_lost}";

    /// <summary>The whole of a measurement: one phase that does not count, and one that does.</summary>
    public LoadResult Run(TimeSpan warmUp, TimeSpan measure, CpuMeter cpu)
    {
        Play(warmUp);

        cpu.Start();
        Phase phase = Play(measure);
        double cpuSeconds = cpu.Stop();

        // A connection without a single answer hangs; the others' throughput would hide it.
        long silent = Enumerable.Range(0, _connections.Count).LongCount(i => _connections[i].Answers == 0);
        return new LoadResult
        {
            Operations = phase.Operations,
            Seconds = phase.Seconds,
            CpuSeconds = cpuSeconds,
            P50Micros = phase.P50Micros,
            P99Micros = phase.P99Micros,
            // Also those of the warm-up: one then is as wrong as one after.
            Errors = Errors + silent,
            ErrorDetail = $"{ErrorDetail}, connections without any answer {silent}",
        };
    }

    /// <summary>Goes on for so long.</summary>
    public Phase Play(TimeSpan time)
    {
        _latencies.Clear();
        for (int i = 0; i < _connections.Count; i++)
            _connections[i].Answers = 0;

        long began = Stopwatch.GetTimestamp();
        long end = began + (long)(time.TotalSeconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end && _lost < _connections.Count)
            Turn();

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        long answers = _latencies.Count;
        CountWaiting();
        return new Phase(answers, seconds, _latencies.PercentileMicros(0.50), _latencies.PercentileMicros(0.99));
    }

    /// <summary>Goes on for so long; operations count from the beginning, latencies only after the time to learn.</summary>
    public Phase PlayLearning(TimeSpan learning, TimeSpan time)
    {
        Phase first = Play(learning);
        Phase rest = Play(time - learning);
        return rest with { Operations = first.Operations + rest.Operations, Seconds = first.Seconds + rest.Seconds };
    }

    public void Dispose() => _ready.Dispose();

    private void Turn()
    {
        _stop.ThrowIfCancellationRequested();
        int count = _ready.Wait(LookUpMilliseconds);
        for (int i = 0; i < count; i++)
            Take(_ready.ReadyIndex(i));
    }

    private void Take(int index)
    {
        switch (_connections.Receive(index))
        {
            case ConnectionStep.Whole:
                long now = Stopwatch.GetTimestamp();
                _latencies.Record(now - _connections[index].SentAt);
                _connections[index].Answers++;
                Send(index, now);
                break;
            case ConnectionStep.Wrong:
                _wrong++;
                Send(index, Stopwatch.GetTimestamp());
                break;
            case ConnectionStep.Lost:
                Lose(index);
                break;
            case ConnectionStep.Partial:
                break;
        }
    }

    private void Send(int index, long now)
    {
        if (!_connections.Send(index, now))
            Lose(index);
    }

    private void Lose(int index)
    {
        _lost++;
        _connections.Drop(index);
    }

    // Without them, a server that answers one connection and forgets the others would have the best latencies of all.
    private void CountWaiting()
    {
        long now = Stopwatch.GetTimestamp();
        for (int i = 0; i < _connections.Count; i++)
        {
            if (!_connections[i].IsLost)
                _latencies.Record(now - _connections[i].SentAt);
        }
    }
}
