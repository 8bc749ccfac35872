using System.Runtime.InteropServices;

namespace LoopBridge.Loops;

/// <summary>
/// A loop's queued callbacks: any thread adds, one thread takes. First in, first out, for all threads together. Takes no lock, and in
/// steady traffic allocates nothing.
/// </summary>
/// <remarks>
/// <para>An addition is one atomic increment: it draws a ticket, and the ticket names the slot, <see cref="Segment.Size"/> of them to a
/// segment. Threads that add at the same time never try twice, as they would with compare-and-swap on a tail. The slot counts as filled
/// when its callback is there, which is therefore written last.</para>
/// <para>Segments carry their number, and no number is given twice. So whoever holds a ticket that is not yet filled may trust a segment
/// with its number wherever it was found: the taker cannot be past it, and nobody can have taken it for reuse. Everything else about a
/// segment (its successor, the hint where the additions are) may be stale when it is read, and is only a way to the right one.</para>
/// <para>The segment after the present one is linked by whoever draws the middle ticket, before he fills his slot. There is one such
/// thread per segment, so linking needs no compare-and-swap, and the others find it done long before they need it.</para>
/// <para>The fence of the increment is also what makes the sleep sound: who adds draws his ticket before he asks whether the loop sleeps,
/// and the loop announces its sleep before it looks for tickets (<see cref="IsEmpty"/>). At least one of them sees the other.</para>
/// </remarks>
internal sealed class CallbackQueue
{
    /// <summary>How many segments are kept for reuse, so that a burst does not pin its memory for ever: some 100 kB for each loop.</summary>
    internal const int MostSpares = 16;

    private Shared _shared;

    internal CallbackQueue()
    {
        _shared.Head = new Segment { Number = 0 };
        _shared.Hint = _shared.Head;
    }

    /// <summary>How many were added and not yet taken. Any thread.</summary>
    internal int Count => (int)Math.Max(Drawn - Taken, 0);

    /// <summary>How many tickets were drawn: those up to here were added before now. Any thread.</summary>
    internal long Drawn => Volatile.Read(ref _shared.Drawn);

    /// <summary>How many were taken. Any thread.</summary>
    internal long Taken => Volatile.Read(ref _shared.Taken);

    /// <summary>Whether nobody has begun to add what was not yet taken. For the taker.</summary>
    internal bool IsEmpty => Drawn == _shared.Taken;

    internal int SpareSegments => Volatile.Read(ref _shared.Spares)?.Depth ?? 0;

    /// <summary>Any thread. A full fence.</summary>
    internal void Enqueue(in LoopWorkItem item)
    {
        long ticket = Interlocked.Increment(ref _shared.Drawn) - 1;
        long number = ticket >> Segment.SizeBits;
        int index = IndexOf(ticket);
        Segment segment = Volatile.Read(ref _shared.Hint);
        if (Volatile.Read(ref segment.Number) != number)
        {
            segment = Find(number);
        }

        if (index == Segment.Size / 2)
        {
            LinkNext(segment, number + 1);
        }

        segment.Slots[index].Fill(item);
    }

    /// <summary>
    /// Takes the oldest; false if there is none. One thread at a time. Where a ticket was drawn and its slot is not yet filled, the thread
    /// that drew it is between two instructions: it is waited for, because what others have added after it must not overtake it.
    /// </summary>
    internal bool TryDequeue(out LoopWorkItem item)
    {
        long ticket = _shared.Taken;
        int index = IndexOf(ticket);
        ref LoopWorkItem slot = ref _shared.Head.Slots[index];
        if (!slot.IsFilled && !WaitUntilFilled(ref slot))
        {
            item = default;
            return false;
        }

        slot.MoveTo(out item);
        if (index == Segment.Size - 1)
        {
            ReleaseHead();
        }

        Volatile.Write(ref _shared.Taken, ticket + 1);
        return true;
    }

    private static int IndexOf(long ticket) => (int)ticket & (Segment.Size - 1);

    private bool WaitUntilFilled(ref LoopWorkItem slot)
    {
        if (IsEmpty)
        {
            return false;
        }

        var spin = default(SpinWait);
        while (!slot.IsFilled)
        {
            spin.SpinOnce(sleep1Threshold: -1); // gives way to a thread that lost its core, and never sleeps a millisecond
        }

        return true;
    }

    // The hint is behind, or (seldom) ahead of a thread that was held up after it drew its ticket, or it points to a spare.
    private Segment Find(long number)
    {
        var spin = default(SpinWait);
        while (true)
        {
            // From where the taker is, the segment cannot have been passed. What is met on the way may be released and reused meanwhile:
            // then the walk ends nowhere, and begins again.
            Segment? segment = Volatile.Read(ref _shared.Hint);
            if (Volatile.Read(ref segment.Number) is var hinted && (hinted > number || hinted < 0))
            {
                segment = Volatile.Read(ref _shared.Head);
            }

            while (segment is not null && Volatile.Read(ref segment.Number) < number)
            {
                segment = Volatile.Read(ref segment.Next);
            }

            if (segment is not null && Volatile.Read(ref segment.Number) == number)
            {
                Volatile.Write(ref _shared.Hint, segment);
                return segment;
            }

            spin.SpinOnce(sleep1Threshold: -1); // it is not yet linked
        }
    }

    private void LinkNext(Segment segment, long number)
    {
        Segment next = TakeSpare() ?? new Segment();
        Volatile.Write(ref next.Number, number);
        Volatile.Write(ref segment.Next, next);
    }

    private void ReleaseHead()
    {
        Segment head = _shared.Head;

        // It is there: who linked it did so before he filled his slot, which was taken.
        Volatile.Write(ref _shared.Head, head.Next!);
        Volatile.Write(ref head.Number, Segment.Unused);
        while (true)
        {
            Segment? spares = Volatile.Read(ref _shared.Spares);
            if (spares?.Depth == MostSpares)
            {
                head.Next = null;
                return;
            }

            head.Next = spares;
            head.Depth = (spares?.Depth ?? 0) + 1;
            if (Interlocked.CompareExchange(ref _shared.Spares, head, spares) == spares)
            {
                return;
            }
        }
    }

    // All are taken and the rest put back: taking one by compare-and-swap could be fooled by a spare that went and came back meanwhile.
    private Segment? TakeSpare()
    {
        if (Interlocked.Exchange(ref _shared.Spares, null) is not { } spare)
        {
            return null;
        }

        Segment? rest = spare.Next;
        spare.Next = null;
        if (rest is not null)
        {
            // Unless some came meanwhile, and then these go to the collector.
            Interlocked.CompareExchange(ref _shared.Spares, rest, null);
        }

        return spare;
    }

    // What different threads write lies apart, by two cache lines because processors fetch them in pairs.
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Shared
    {
        /// <summary>Those who add: each time.</summary>
        [FieldOffset(128)]
        public long Drawn;

        /// <summary>Those who add, once for each segment: where the additions are, or were a while ago.</summary>
        [FieldOffset(256)]
        public Segment Hint;

        [FieldOffset(264)]
        public Segment? Spares;

        /// <summary>The taker, each time.</summary>
        [FieldOffset(384)]
        public long Taken;

        /// <summary>The taker, once for each segment.</summary>
        [FieldOffset(392)]
        public Segment Head;
    }

    private sealed class Segment
    {
        internal const int SizeBits = 8;

        internal const int Size = 1 << SizeBits;

        internal const long Unused = -1;

        internal readonly LoopWorkItem[] Slots = new LoopWorkItem[Size];

        /// <summary>Which one it is, counted from the queue's beginning.</summary>
        internal long Number = Unused;

        /// <summary>The segment after it, or the spare below it.</summary>
        internal Segment? Next;

        /// <summary>As a spare, how many there are with it.</summary>
        internal int Depth;
    }
}
