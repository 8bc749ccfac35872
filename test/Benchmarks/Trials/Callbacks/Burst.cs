using System.Diagnostics;
using LoopBridge.Benchmarks.Processes;

namespace LoopBridge.Benchmarks.Trials.Callbacks;

/// <summary>
/// Posts a burst of items from one or several threads at once and waits until all have run. The calling thread is one of them; the others
/// are kept from burst to burst.
/// </summary>
internal sealed class Burst : IDisposable
{
    private readonly int _producers;
    private readonly int _length;
    private readonly Barrier _gate;
    private readonly Barrier _posted;
    private readonly Thread[] _helpers;
    private readonly ManualResetEventSlim _done = new(initialState: false, spinCount: 0);
    private readonly double[] _postNanoseconds;
    private WorkQueue? _queue;
    private long _start;
    private long _end;
    private int _unfinished;

    /// <param name="producers">How many threads post.</param>
    /// <param name="length">How many items, of all threads together.</param>
    public Burst(int producers, int length)
    {
        _length = length;
        _producers = producers;
        _postNanoseconds = new double[producers];
        _gate = new Barrier(producers, _ => _start = Stopwatch.GetTimestamp());
        _posted = new Barrier(producers);
        _helpers = [.. Enumerable.Range(1, producers - 1).Select(index => new Thread(() => Help(index)) { IsBackground = true })];
        foreach (Thread helper in _helpers)
            helper.Start();
    }

    /// <summary>An item: it only looks at its state, so that what is measured is its way.</summary>
    public static void RunItem(object? state) => GC.KeepAlive((Burst)state!);

    /// <summary>
    /// The last item of one thread. Both queues begin items in the order posted, so no more than what another pool thread just has in hand
    /// is left when the last of these runs.
    /// </summary>
    public static void RunLast(object? state) => ((Burst)state!).Finish();

    public BurstCost Run(WorkQueue queue)
    {
        _queue = queue;
        _unfinished = _producers;
        _done.Reset();
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        Produce(0);
        _done.Wait();
        _posted.SignalAndWait();
        cpu = Environment.CpuUsage.TotalTime - cpu;
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        double seconds = Stopwatch.GetElapsedTime(_start, _end).TotalSeconds;
        return new BurstCost(seconds * 1e9 / _length, _postNanoseconds.Sum() / _length, cpu.TotalNanoseconds / _length, (double)bytes / _length);
    }

    public void Dispose()
    {
        // The helpers wait at the gate for a burst without a queue, which ends them.
        _queue = null;
        _gate.SignalAndWait();
        foreach (Thread helper in _helpers)
            helper.Join();
        _gate.Dispose();
        _posted.Dispose();
        _done.Dispose();
    }

    private void Help(int index)
    {
        while (Produce(index))
            _posted.SignalAndWait();
    }

    private bool Produce(int index)
    {
        _gate.SignalAndWait();
        if (_queue is not { } queue)
            return false;

        double start = LibC.ThreadCpuNanoseconds();
        queue.Post(this, _length / _producers);
        _postNanoseconds[index] = LibC.ThreadCpuNanoseconds() - start;
        return true;
    }

    private void Finish()
    {
        if (Interlocked.Decrement(ref _unfinished) == 0)
        {
            _end = Stopwatch.GetTimestamp();
            _done.Set();
        }
    }
}
