using System.Diagnostics;

namespace LoopBridge.Benchmarks.ClosedLoop;

/// <summary>One message and one answer on each of some connections, which stay open.</summary>
internal sealed class Exchange(ClosedLoopConnections connections, CancellationToken stop)
{
    private const int LookUpMilliseconds = 100;

    /// <exception cref="MeasurementException">An answer did not come, or was wrong.</exception>
    public void Run(TimeSpan deadline)
    {
        using var ready = new EpollSet(connections.Count);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < connections.Count; i++)
        {
            ready.Add(connections[i].Descriptor, i);
            if (!connections.Send(i, start))
                throw new MeasurementException("A message could not be sent.");
        }

        int answered = 0;
        while (answered < connections.Count)
        {
            stop.ThrowIfCancellationRequested();
            if (Stopwatch.GetElapsedTime(start) > deadline)
                throw new MeasurementException($"{answered} of {connections.Count} were answered within {deadline.TotalSeconds} s.");

            int count = ready.Wait(LookUpMilliseconds);
            for (int i = 0; i < count; i++)
                answered += Take(ready.ReadyIndex(i));
        }
    }

    private int Take(int index) => connections.Receive(index) switch
    {
        ConnectionStep.Whole => 1,
        ConnectionStep.Partial => 0,
        ConnectionStep wrong => throw new MeasurementException($"An answer was {wrong}."),
    };
}
