namespace LoopBridge.Loops;

/// <summary>
/// Timers in the order of deadline, then of addition: a heap with four children to a node, which for a million timers is ten levels deep
/// and touches fewer cache lines than a binary one. Each timer knows its place, so that removal costs no search and leaves nothing behind.
/// </summary>
internal sealed class TimerQueue
{
    private const int Arity = 4;

    private LoopTimer[] _heap = new LoopTimer[16];
    private long _sequence;

    internal int Count { get; private set; }

    internal int Capacity => _heap.Length;

    /// <summary>The earliest deadline in ticks, or null when nothing is queued.</summary>
    internal long? NextDeadline => Count > 0 ? _heap[0].DeadlineTicks : null;

    internal void Add(LoopTimer timer, long deadlineTicks)
    {
        if (Count == _heap.Length)
        {
            Array.Resize(ref _heap, Count * 2);
        }

        timer.DeadlineTicks = deadlineTicks;
        timer.Sequence = _sequence++;
        SiftUp(Count++, timer);
    }

    /// <summary>Takes a timer out. False if it is not queued.</summary>
    /// <exception cref="ArgumentException">It is queued elsewhere: its place means nothing here.</exception>
    internal bool Remove(LoopTimer timer)
    {
        int index = timer.Index;
        if (index == LoopTimer.NotQueued)
        {
            return false;
        }

        if (index >= Count || _heap[index] != timer)
        {
            throw new ArgumentException("The timeout belongs to another loop.", nameof(timer));
        }

        timer.Index = LoopTimer.NotQueued;
        LoopTimer last = _heap[--Count];
        _heap[Count] = null!;
        if (last != timer)
        {
            // The last one fills the hole, and may have to go either way from there.
            SiftDown(index, last);
            if (last.Index == index)
            {
                SiftUp(index, last);
            }
        }

        Shrink();
        return true;
    }

    /// <summary>Takes the earliest timer out if its deadline is not after <paramref name="nowTicks"/>.</summary>
    internal LoopTimer? TakeDue(long nowTicks)
    {
        if (Count == 0 || _heap[0].DeadlineTicks > nowTicks)
        {
            return null;
        }

        LoopTimer due = _heap[0];
        Remove(due);
        return due;
    }

    internal void Clear()
    {
        for (int i = 0; i < Count; i++)
        {
            _heap[i].Index = LoopTimer.NotQueued;
            _heap[i].Clear();
        }

        _heap = new LoopTimer[16];
        Count = 0;
    }

    private static bool IsBefore(LoopTimer a, LoopTimer b)
        => a.DeadlineTicks < b.DeadlineTicks || (a.DeadlineTicks == b.DeadlineTicks && a.Sequence < b.Sequence);

    private void SiftUp(int index, LoopTimer timer)
    {
        while (index > 0)
        {
            int parent = (index - 1) / Arity;
            if (!IsBefore(timer, _heap[parent]))
            {
                break;
            }

            Place(index, _heap[parent]);
            index = parent;
        }

        Place(index, timer);
    }

    private void SiftDown(int index, LoopTimer timer)
    {
        while (true)
        {
            int first = (index * Arity) + 1;
            if (first >= Count)
            {
                break;
            }

            int best = first;
            int end = Math.Min(first + Arity, Count);
            for (int child = first + 1; child < end; child++)
            {
                if (IsBefore(_heap[child], _heap[best]))
                {
                    best = child;
                }
            }

            if (!IsBefore(_heap[best], timer))
            {
                break;
            }

            Place(index, _heap[best]);
            index = best;
        }

        Place(index, timer);
    }

    private void Place(int index, LoopTimer timer)
    {
        _heap[index] = timer;
        timer.Index = index;
    }

    // A burst must not pin its memory for ever; a quarter, so that a size that swings around a boundary does not copy each time.
    private void Shrink()
    {
        if (_heap.Length > 1024 && Count < _heap.Length / 4)
        {
            Array.Resize(ref _heap, _heap.Length / 2);
        }
    }
}
