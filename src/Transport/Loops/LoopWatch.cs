using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Loops;

/// <summary>One loop through the watchdog's eyes: since when it does the same. Watchdog's thread.</summary>
internal sealed class LoopWatch(
    LoopMember member, LoopActivity activity, LoopSupervision supervision, ElasticThreads spares, CrowdRelief relief, ILogger logger)
{
    // A loop that is found busy so often among so many looks has too much to do. The other times it asks its driver what there is.
    private const int CrowdLooks = 20;
    private const int CrowdBusyLooks = 17;

    // What one sample may count. When the whole process stood still (suspended, swapped, no core to be had), nobody has overstayed.
    private readonly TimeSpan _longestSample = 2 * supervision.Interval;

    private long _step;
    private long _stepSeen;
    private long _turn;
    private long _turnSeen;
    private long _lastLook;
    private int _looks;
    private int _busyLooks;
    private bool _isCrowded;
    private TimeSpan _held;
    private TimeSpan _describeAt = supervision.StallLimit;
    private bool _overstayed;
    private bool _spareCalled;
    private bool _spareMissed;

    /// <summary>Whether there is something to look at.</summary>
    internal bool HasMoved => activity.IsBusy || activity.Step != _step;

    /// <summary>Whether its guests are too many for it, and one that takes long could run elsewhere.</summary>
    internal bool WantsCloseLooks { get; private set; }

    /// <param name="now">Of <see cref="Stopwatch"/>.</param>
    /// <returns>Whether the loop is busy, or was since the last look.</returns>
    internal bool Look(long now)
    {
        bool isBusy = activity.IsBusy;
        long step = activity.Step;
        bool hasMoved = step != _step;
        LookAtTurn(now, isBusy);
        LookAtCrowd(now, isBusy && (hasMoved || _held < _longestSample), hasMoved);
        if (hasMoved || !isBusy)
        {
            EndHold(now);
            _step = step;
            _stepSeen = now;
            _lastLook = now;
            return hasMoved || isBusy;
        }

        TimeSpan sample = Stopwatch.GetElapsedTime(_lastLook, now);
        _held += sample < _longestSample ? sample : _longestSample;
        _lastLook = now;
        if (activity.IsGuest(step))
        {
            if (_held >= supervision.OverstayLimit)
            {
                TakeFromGuest(step);
            }
        }
        else if (_held >= _describeAt)
        {
            // And again later: within one step things may be called one after the other, and it is the last one that takes so long.
            member.Holder = RunningCode.Describe(activity.Present);
            _describeAt *= 2;
        }

        return true;
    }

    // How long something that happens now would have waited already: as old as the turn is in which the loop is busy.
    private void LookAtTurn(long now, bool isBusy)
    {
        long turn = activity.Turns;
        if (turn != _turn || !isBusy)
        {
            _turn = turn;
            _turnSeen = now;
        }

        if (isBusy)
        {
            member.Instruments?.Lagged(member, Stopwatch.GetElapsedTime(_turnSeen, now));
        }
    }

    // Only who has had the loop since the look before, a millisecond ago, is told: for less it would cost more to wake another thread. A loop
    // that stands still is not crowded but held: that one overstays, and nobody else could do anything for it.
    private void LookAtCrowd(long now, bool isBusy, bool hasMoved)
    {
        _busyLooks += isBusy ? 1 : 0;
        if (++_looks == CrowdLooks)
        {
            _isCrowded = _busyLooks >= CrowdBusyLooks;
            _looks = 0;
            _busyLooks = 0;
        }

        bool wantedCloseLooks = WantsCloseLooks;
        WantsCloseLooks = isBusy && _isCrowded && relief.IsToBeHad(now);
        if (wantedCloseLooks && WantsCloseLooks && !hasMoved && activity.Present.Running is ILoopGuest guest)
        {
            guest.OnCrowded();
        }
    }

    private void TakeFromGuest(long ticket)
    {
        if (_spareCalled)
        {
            return; // it is on its way, or the guest was quicker
        }

        (object? guest, _) = activity.Present;
        if (!_overstayed)
        {
            _overstayed = true;
            member.CountOverstay((guest as ILoopGuest)?.Origin);
        }

        _spareCalled = spares.TryRun(new TakeOver(member, ticket));
        if (!_spareCalled && !_spareMissed)
        {
            _spareMissed = true;
            logger.NoSpareThread(RunningCode.Describe((guest, null)), member.Name, supervision.OverstayLimit, supervision.MaxWorkerThreads);
        }
    }

    private void EndHold(long now)
    {
        if (member.Holder is { } holder)
        {
            logger.LoopHeld(holder, member.Name, Stopwatch.GetElapsedTime(_stepSeen, now));
            member.Holder = null;
        }

        _held = TimeSpan.Zero;
        _describeAt = supervision.StallLimit;
        _overstayed = false;
        _spareCalled = false;
        _spareMissed = false;
    }

    /// <summary>What the spare thread does. It finds out for itself whether it is still wanted.</summary>
    private sealed class TakeOver(LoopMember member, long ticket) : IThreadPoolWorkItem
    {
        public void Execute() => member.TakeOver(ticket);
    }
}
