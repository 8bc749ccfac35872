using System.Buffers;

namespace LoopBridge.Sockets;

/// <summary>
/// Bytes in blocks between one producer and one consumer, without a lock. Each side may move from thread to thread, as long as it is one at
/// a time.
/// </summary>
/// <remarks>
/// <para>The producer fills a tail block and <see cref="Commit"/>s; the consumer sees what is committed and gives blocks back as soon as
/// they are consumed. Nothing is kept while the queue is empty: an idle connection holds no buffer.</para>
/// <para>That last rule is the difficult one, because both want the tail: the producer to go on writing behind what is committed, the
/// consumer to give it back. So between two writes the tail lies in <c>_open</c>, and whoever exchanges it out owns it. A producer that
/// finds nothing there starts a new chain and leaves its first block in <c>_chainStart</c>, where the consumer finds it when its own chain
/// has ended. A consumer that took the tail and then sees that more was committed meanwhile keeps it as <c>_sealed</c>: nobody writes there
/// any more, and the new chain is linked behind it.</para>
/// <para>Block offsets are absolute positions in the stream, so that positions compare across chains.</para>
/// </remarks>
internal sealed class SegmentQueue(MemoryPool<byte>? pool, int blockSize = SegmentQueue.DefaultBlockSize)
{
    /// <summary>The size of the blocks that Kestrel's pool gives.</summary>
    internal const int DefaultBlockSize = 4096;

    private BufferSegment? _open;
    private BufferSegment? _chainStart;
    private BufferSegment? _spare;

    // the producer's
    private BufferSegment? _tail;
    private long _written;
    private long _chainOffset;

    // the consumer's
    private BufferSegment? _head;
    private BufferSegment? _sealed;
    private int _headIndex;

    private long _committed;
    private long _consumed;

    /// <summary>All bytes ever committed. Any thread.</summary>
    internal long Committed => Volatile.Read(ref _committed);

    /// <summary>All bytes ever consumed. Any thread.</summary>
    internal long Consumed => Volatile.Read(ref _consumed);

    /// <summary>Bytes committed and not consumed. Any thread.</summary>
    internal long Length
    {
        get
        {
            long consumed = Consumed; // first: the other way round a third thread could see less than nothing
            return Committed - consumed;
        }
    }

    /// <summary>Bytes written and not yet committed. Producer.</summary>
    internal long Uncommitted => _written - _committed;

    /// <summary>Room to write to, at least one byte and at least <paramref name="sizeHint"/>. Producer.</summary>
    internal Memory<byte> GetMemory(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int needed = Math.Max(sizeHint, 1);
        BufferSegment? tail = _tail ??= Interlocked.Exchange(ref _open, null);
        if (tail is null)
        {
            _chainStart = _tail = tail = BufferSegment.Rent(pool, Math.Max(needed, blockSize), _written, ref _spare);
            _chainOffset = _written;
        }
        else if (tail.Free < needed)
        {
            BufferSegment next = BufferSegment.Rent(pool, Math.Max(needed, blockSize), _written, ref _spare);
            tail.LinkTo(next);
            _tail = tail = next;
        }

        return tail.FreeMemory();
    }

    /// <summary>So many bytes of the last <see cref="GetMemory"/> were written. Producer.</summary>
    internal void Advance(int count)
    {
        if (_tail is null ? count != 0 : (uint)count > (uint)_tail.Free)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, "More bytes were written than there was room for.");
        }

        if (_tail is not null)
        {
            _tail.End += count;
            _written += count;
        }
    }

    /// <summary>Copies bytes in. Producer.</summary>
    internal void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = GetMemory(0).Span;
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>
    /// Shows the consumer what was written so far. Producer. Afterwards the consumer needs a call of <see cref="ReleaseIfEmpty"/>, even if
    /// it has consumed everything by then (while this runs it may see the bytes but not yet the block), or the producer one more of
    /// <see cref="GetMemory"/> and <see cref="Commit"/>, which gives back what it finds consumed.
    /// </summary>
    internal void Commit()
    {
        BufferSegment? tail = _tail;
        if (tail is null)
        {
            return;
        }

        _tail = null;
        if (_written == _chainOffset)
        {
            // A chain begun for nothing. The consumer asks for a chain only when there are bytes in it, so it has not seen this one.
            BufferSegment start = _chainStart!;
            _chainStart = null;
            ReturnAll(start);
            return;
        }

        if (_written == _committed)
        {
            PutBack(tail);
            return;
        }

        Volatile.Write(ref _committed, _written);
        Volatile.Write(ref _open, tail);
    }

    // A block that the producer had for nothing, as a receive that finds nothing has. A consumer that emptied it meanwhile could not give it
    // back and may have nothing to do here for hours. So: show it, then look, as the consumer does it the other way round. With all
    // consumed and the tail in hand, nobody looks at the head until more is committed.
    private void PutBack(BufferSegment tail)
    {
        Interlocked.Exchange(ref _open, tail);
        if (Length == 0 && Interlocked.Exchange(ref _open, null) is not null)
        {
            BufferSegment? head = _head;
            _head = null;
            _headIndex = 0;
            ReturnAll(head);
        }
    }

    /// <summary>Everything committed and not consumed, as one sequence. Consumer.</summary>
    internal ReadOnlySequence<byte> Peek()
    {
        long remaining = Length;
        if (remaining == 0)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        BufferSegment start = Head();
        BufferSegment end = start;
        long left = remaining + _headIndex;
        while (left > end.End)
        {
            left -= end.End;
            end = Following(end);
        }

        return new ReadOnlySequence<byte>(start, _headIndex, end, (int)left);
    }

    /// <summary>Fills <paramref name="buffers"/> with the next committed pieces and tells how many. Consumer.</summary>
    internal int Peek(Span<ReadOnlyMemory<byte>> buffers)
    {
        long remaining = Length;
        if (remaining == 0)
        {
            return 0;
        }

        BufferSegment segment = Head();
        int index = _headIndex;
        int count = 0;
        while (true)
        {
            // Linking shortens Memory, perhaps at this moment, but never to less than what is committed: a torn read of its length is good
            // either way.
            int length = (int)Math.Min(segment.End - index, remaining);
            if (length > 0)
            {
                buffers[count++] = segment.Memory.Slice(index, length);
            }

            remaining -= length;
            if (remaining == 0 || count == buffers.Length)
            {
                return count;
            }

            segment = Following(segment);
            index = 0;
        }
    }

    /// <summary>So many bytes from the front are done with. Consumer.</summary>
    internal void Consume(long count)
    {
        if (count > 0)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Length);
            BufferSegment segment = Head();
            long left = count;
            while (left > segment.End - _headIndex)
            {
                left -= segment.End - _headIndex;
                BufferSegment next = Following(segment);
                segment.Return(ref _spare);
                _head = segment = next;
                _headIndex = 0;
            }

            _headIndex += (int)left;
            Volatile.Write(ref _consumed, _consumed + count);
        }

        ReleaseIfEmpty();
    }

    /// <summary>Drops everything committed. Consumer.</summary>
    internal void Clear() => Consume(Length);

    /// <summary>Gives the last block back, unless more is committed or being written. Consumer, after each <see cref="Commit"/>.</summary>
    internal void ReleaseIfEmpty()
    {
        if (Length != 0 || _head is null)
        {
            return;
        }

        _sealed ??= Interlocked.Exchange(ref _open, null);
        if (_sealed is null || Length != 0)
        {
            return; // the producer is writing there, or has committed more: its tail is given back another time
        }

        // Usually one block; more when the producer linked a larger one and then wrote nothing there.
        ReturnAll(_head);
        _sealed = null;
        _head = null;
        _headIndex = 0;
    }

    private void ReturnAll(BufferSegment? segment)
    {
        while (segment is not null)
        {
            BufferSegment? next = segment.NextSegment;
            segment.Return(ref _spare);
            segment = next;
        }
    }

    // Where unread bytes begin. Called only while there are some.
    private BufferSegment Head()
    {
        if (_head is null)
        {
            _head = _chainStart!;
            _chainStart = null;
            _headIndex = 0;
        }
        else if (_headIndex == _head.End)
        {
            BufferSegment next = Following(_head);
            _head.Return(ref _spare);
            _head = next;
            _headIndex = 0;
        }

        return _head;
    }

    // The block behind one that has been read to its end while more is committed: linked by the producer, or the start of its new chain.
    private BufferSegment Following(BufferSegment segment)
    {
        if (segment.NextSegment is { } next)
        {
            return next;
        }

        next = _chainStart!;
        _chainStart = null;
        segment.LinkTo(next);
        _sealed = null;
        return next;
    }
}
