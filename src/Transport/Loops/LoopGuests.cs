namespace LoopBridge.Loops;

/// <summary>The guests of one dispatcher: invited by its callbacks and handlers, run between them.</summary>
/// <remarks>
/// They run at the top of the dispatch and never inside a handler: beneath a guest's code there is the turn's own frame and nothing else,
/// so that a thread which has lost the loop to another one unwinds through nothing that knows the loop.
/// </remarks>
/// <param name="exceptions">Told of what a guest throws, on the loop.</param>
internal sealed class LoopGuests(Action<Exception, object?> exceptions)
{
    /// <summary>As a dispatcher's thread id: it runs, and no thread is on it. Zero would say that it does not run.</summary>
    internal const int NoThread = -1;

    // First in, first out; a power of two long.
    private ILoopGuest?[] _invited = new ILoopGuest?[16];
    private int _first;
    private int _count;

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

    /// <summary>Runs all that are invited, and takes the calling thread off the loop for it.</summary>
    /// <param name="threadId">Where the dispatcher keeps the id of its thread.</param>
    internal void RunAll(ref int threadId)
    {
        int mine = threadId;
        while (_count > 0)
        {
            ILoopGuest guest = Take();
            Exception? escaped = null;
            ExecutionContext? ambient = ExecutionContext.Capture();
            LoopRun away = CurrentLoop.Leave();
            SynchronizationContext.SetSynchronizationContext(null);
            Volatile.Write(ref threadId, NoThread);
            try
            {
                guest.Run();
            }
            catch (Exception e)
            {
                escaped = e; // reported below: whom it is told to is on the loop
            }

            Volatile.Write(ref threadId, mine);
            away.Dispose();
            SynchronizationContext.SetSynchronizationContext(null);
            if (ambient is not null)
            {
                ExecutionContext.Restore(ambient); // what it left behind is not for the next one
            }

            if (escaped is not null)
            {
                exceptions(escaped, guest);
            }
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
    internal static void SendAway(ILoopGuest guest)
        => ThreadPool.UnsafeQueueUserWorkItem(static guest => guest.Run(), guest, preferLocal: false);

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
