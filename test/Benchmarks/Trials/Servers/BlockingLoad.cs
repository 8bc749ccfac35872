using System.Diagnostics;
using System.Net;
using LoopBridge.Benchmarks.ClosedLoop;

namespace LoopBridge.Benchmarks.Trials.Servers;

/// <summary>Connections that call a blocking page without pause, from a thread of their own, until they are told to stop.</summary>
internal sealed class BlockingLoad(IPEndPoint server, int count, string path) : IDisposable
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private Task<double>? _work;

    public void Start()
        => _work = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>How many were answered a second.</summary>
    public double StopAndCount()
    {
        _stop.Cancel();
        return _work!.GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _stop.Cancel();
        // Waited for before the server ends under it. What it failed with, it told who counted; if nobody did, another failure is on its
        // way.
        if (_work is not null)
            Task.WaitAny(_work);
        _stop.Dispose();
    }

    private double Run()
    {
        using var connections = new HttpConnections(server, count, path);
        using var load = new ClosedLoopLoad(connections, CancellationToken.None);
        long start = Stopwatch.GetTimestamp();
        long answers = 0;
        while (!_stop.IsCancellationRequested)
            answers += load.Play(Slice).Operations;
        return load.Errors == 0
            ? answers / Stopwatch.GetElapsedTime(start).TotalSeconds
            : throw new MeasurementException($"The blocking connections saw {load.Errors} errors ({load.ErrorDetail})");
    }
}
