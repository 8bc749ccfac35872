namespace LoopBridge.Loops;

/// <summary>The guests of one dispatcher: invited by its callbacks and handlers, run between them.</summary>
/// <remarks>
/// They run at the top of the dispatch and never inside a handler: beneath a guest's code there is the turn's own frame and nothing else,
/// so that a thread which has lost the loop to another one unwinds through nothing that knows the loop.
/// </remarks>
/// <param name="activity">The dispatcher's.</param>
/// <param name="exceptions">Told of what a guest throws, on any thread.</param>
internal sealed class LoopGuests(LoopActivity activity, Action<Exception, object?> exceptions)
{
    /// <summary>As a dispatcher's thread id: it runs, and no thread is on it. Zero would say that it does not run.</summary>
    private const int NoThread = -1;

    // First in, first out; a power of two long.
    private ILoopGuest?[] _invited = new ILoopGuest?[16];
    private int _first;
    private int _count;
    private ILoopGuest? _present;

    /// <summary>Whether somebody waits. Loop thread.</summary>
    internal bool Any => _count > 0;

    /// <summary>Loop thread.</summary>
    internal void Invite(ILoopGuest guest)
    {
        if (_count == _invited.Length)
        {
            Grow();
        }

        _invited[(_first + _count++) & (_invited.Length - 1)] = guest;
    }

    /// <summary>
    /// Runs all that are invited, and takes the calling thread off the loop for it. False: another thread has the loop now, and the calling
    /// one touches nothing of it any more.
    /// </summary>
    /// <param name="threadId">Where the dispatcher keeps the id of its thread.</param>
    internal bool RunAll(ref int threadId)
    {
        int mine = threadId;
        ExecutionContext? ambient = ExecutionContext.Capture();
        while (_count > 0)
        {
            ILoopGuest guest = Take();
            _present = guest;
            LoopRun away = CurrentLoop.Leave();
            SynchronizationContext.SetSynchronizationContext(null);
            Volatile.Write(ref threadId, NoThread);
            long ticket = activity.BeginGuest(guest);
            Run(guest);
            if (!activity.TryEndGuest(ticket))
            {
                return false;
            }

            _present = null;
            Volatile.Write(ref threadId, mine);
            away.Dispose();
            SynchronizationContext.SetSynchronizationContext(null);
            if (ambient is not null)
            {
                ExecutionContext.Restore(ambient); // what it left behind is not for the next one
            }

            guest.OnReturned();
        }

        return true;
    }

    /// <summary>The calling thread has taken the loop, and is about to go on with it: tells the guest who lost it.</summary>
    internal void TellOvertaken()
    {
        ILoopGuest guest = _present!;
        _present = null;
        activity.Begin(this); // from here on it is not the guest who has the loop
        try
        {
            guest.OnOvertaken();
        }
        catch (Exception e)
        {
            exceptions(e, guest); // a bug of the guest's: the loop goes on
        }
    }

    /// <summary>The loop is closed: those who wait run elsewhere. One thread, when nobody else can invite any more.</summary>
    internal void SendAway()
    {
        while (_count > 0)
        {
            SendAway(Take());
        }
    }

    /// <summary>As one who came too late. Any thread.</summary>
    internal void SendAway(ILoopGuest guest)
        => ThreadPool.UnsafeQueueUserWorkItem(static late => late.Host.Run(late.Guest), (Host: this, Guest: guest), preferLocal: false);

    private void Run(ILoopGuest guest)
    {
        try
        {
            guest.Run();
        }
        catch (Exception e)
        {
            exceptions(e, guest);
        }
    }

    private ILoopGuest Take()
    {
        ILoopGuest guest = _invited[_first]!;
        _invited[_first] = null;
        _first = (_first + 1) & (_invited.Length - 1);
        _count--;
        return guest;
    }

    private void Grow()
    {
        var larger = new ILoopGuest?[_invited.Length * 2];
        for (int i = 0; i < _count; i++)
        {
            larger[i] = _invited[(_first + i) & (_invited.Length - 1)];
        }

        _invited = larger;
        _first = 0;
    }
}
