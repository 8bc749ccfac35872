namespace LoopBridge.Kestrel;

/// <summary>
/// Whether the code of one connection may use its loop. One that has overstayed there runs on worker threads, where each run is timed, and
/// comes back when it has behaved for some runs in a row.
/// </summary>
/// <remarks>
/// To behave is to return within a quarter of the limit: between the two nothing is proven. Who overstays again after coming back has to
/// behave for twice as long as before, so that a handler that blocks on every tenth request does not cost a hand-over each time. Runs of
/// one connection are counted by whatever thread they were on, and two may end at once; the count may then be off by one, which harms
/// nobody.
/// </remarks>
internal sealed class ConnectionStanding
{
    /// <summary>Good runs in a row that bring a connection back, the first time.</summary>
    internal const int GoodRuns = 8;

    /// <summary>What repeated offences make of that at most.</summary>
    internal const int MostGoodRuns = 512;

    /// <summary>The part of the limit within which a run is good.</summary>
    internal const int GoodPart = 4;

    /// <summary>How long a connection stays away from a loop that had too much to do.</summary>
    internal static readonly TimeSpan TimeAway = TimeSpan.FromSeconds(1);

    private readonly EndpointStanding _endpoint;
    private readonly TimeSpan _limit;
    private readonly TimeSpan _goodLimit;
    private int _missing;
    private int _term;
    private long _awayUntil;

    /// <param name="endpoint">Of the connection: it hears of offences.</param>
    /// <param name="limit">How long a run may hold a loop.</param>
    /// <param name="isOnProbation">Whether it begins on a worker.</param>
    internal ConnectionStanding(EndpointStanding endpoint, TimeSpan limit, bool isOnProbation)
    {
        _endpoint = endpoint;
        _limit = limit;
        _goodLimit = limit / GoodPart;
        _missing = isOnProbation ? GoodRuns : 0;
    }

    /// <summary>Any thread.</summary>
    internal bool MayUseLoop => Volatile.Read(ref _missing) <= 0;

    // Most have never been sent away, and need no clock.
    private bool IsAway => Volatile.Read(ref _awayUntil) is not 0 and var until && _endpoint.Now < until;

    /// <summary>A run has lost its loop. Any thread.</summary>
    internal void OnOvertaken()
    {
        _endpoint.OnOffence();
        _term = _term == 0 ? GoodRuns : Math.Min(_term * 2, MostGoodRuns);
        Volatile.Write(ref _missing, _term);
    }

    /// <summary>
    /// The loop has more to do than it can: no offence, but the code runs elsewhere for <see cref="TimeAway"/>. Watchdog's thread.
    /// </summary>
    internal void OnCrowded()
    {
        if (MayUseLoop)
        {
            Volatile.Write(ref _awayUntil, _endpoint.Now + TimeAway.Ticks);
            Volatile.Write(ref _missing, 1);
        }
    }

    /// <summary>A run on a worker has ended. Its thread.</summary>
    internal void OnWorkerRun(TimeSpan duration)
    {
        if (duration > _limit)
        {
            _endpoint.OnOffence();
        }

        if (duration <= _goodLimit)
        {
            if (!IsAway)
            {
                Interlocked.Decrement(ref _missing);
            }
        }
        else if (!MayUseLoop)
        {
            Volatile.Write(ref _missing, Math.Max(_term, GoodRuns)); // in a row: it begins again
        }
    }
}
