namespace LoopBridge.Kestrel;

/// <summary>
/// What an endpoint's connections have lately done to their loops. After several offences within a few seconds its new connections are on
/// probation: they begin on worker threads.
/// </summary>
/// <remarks>
/// A leaky bucket kept as one number, the time at which it will be empty (as in the cell rate algorithm of ATM, I.371): an offence adds two
/// seconds, the third one that does not wait for those before it to be forgiven fills it above the mark, and no number of offences is
/// remembered for more than ten seconds. Lock-free: offences come from any thread.
/// </remarks>
internal sealed class EndpointStanding(TimeProvider clock, string? name = null)
{
    /// <summary>After so long an offence is forgiven.</summary>
    internal static readonly TimeSpan Forgiveness = TimeSpan.FromSeconds(2);

    /// <summary>More than so many offences that are not forgiven mean probation.</summary>
    internal const int ToleratedOffences = 2;

    /// <summary>After so long any number of offences is forgiven.</summary>
    internal static readonly TimeSpan LongestMemory = TimeSpan.FromSeconds(10);

    private long _emptyAt;
    private long _offences;

    /// <summary>The endpoint, for meters and logs.</summary>
    internal string? Name => name;

    /// <summary>All since the start. Any thread.</summary>
    internal long Offences => Volatile.Read(ref _offences);

    /// <summary>Whether new connections begin on worker threads. Any thread.</summary>
    internal bool IsOnProbation
    {
        get
        {
            // The usual endpoint has never offended, and needs no clock.
            long emptyAt = Volatile.Read(ref _emptyAt);
            return emptyAt != 0 && emptyAt - Now > ToleratedOffences * Forgiveness.Ticks;
        }
    }

    /// <summary>In ticks of 100 ns, from no particular time. Any thread.</summary>
    internal long Now => clock.GetElapsedTime(0).Ticks;

    /// <summary>A connection has held a loop, or a worker, beyond the limit. Any thread.</summary>
    internal void OnOffence()
    {
        Interlocked.Increment(ref _offences);
        long now = Now;
        long seen = Volatile.Read(ref _emptyAt);
        while (true)
        {
            long emptyAt = Math.Min(Math.Max(seen, now) + Forgiveness.Ticks, now + LongestMemory.Ticks);
            long found = Interlocked.CompareExchange(ref _emptyAt, emptyAt, seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }
}
