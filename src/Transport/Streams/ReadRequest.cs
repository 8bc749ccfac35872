namespace LoopBridge.Streams;

/// <summary>How far a read has come with what is buffered.</summary>
internal enum ReadProgress
{
    NeedsMore,
    Done,
    LimitReached,
}

/// <summary>One read: what it asks for, how far it has come, and in the end what came of it.</summary>
internal struct ReadRequest
{
    private readonly ReadKind _kind;
    private readonly ReadOnlyMemory<byte> _delimiter;
    private readonly Memory<byte> _target;
    private readonly int _maxBytes;
    private int _searched;

    private ReadRequest(ReadKind kind, ReadOnlyMemory<byte> delimiter, Memory<byte> target, int maxBytes)
    {
        _kind = kind;
        _delimiter = delimiter;
        _target = target;
        _maxBytes = maxBytes;
    }

    private enum ReadKind
    {
        Until,
        UntilClose,
        Exactly,
        Partial,
    }

    /// <summary>Bytes in the caller's memory.</summary>
    internal int Count { get; private set; }

    /// <summary>The result of the kinds that make an array.</summary>
    internal byte[]? Bytes { get; private set; }

    internal Exception? Failure { get; set; }

    /// <summary>Whether it was this read that met its limit.</summary>
    internal bool IsLimitReached { get; private set; }

    // A read of a few bytes goes through the buffer, so that a header and what follows it cost one system call and not two.
    private readonly bool IsDirect
        => _kind is ReadKind.Exactly or ReadKind.Partial && _target.Length - Count >= ReadBuffer.SmallestRoom;

    internal static ReadRequest Until(ReadOnlyMemory<byte> delimiter, int maxBytes) => new(ReadKind.Until, delimiter, default, maxBytes);

    internal static ReadRequest UntilClose(int maxBytes) => new(ReadKind.UntilClose, default, default, maxBytes);

    internal static ReadRequest Exactly(Memory<byte> target) => new(ReadKind.Exactly, default, target, 0);

    internal static ReadRequest Partial(Memory<byte> target) => new(ReadKind.Partial, default, target, 0);

    internal ReadProgress Proceed(ref ReadBuffer buffer)
    {
        ReadProgress progress = Use(ref buffer);
        IsLimitReached = progress == ReadProgress.LimitReached;
        return progress;
    }

    /// <summary>Nothing more will come. False: that leaves the read without what it asked for.</summary>
    internal bool ProceedAtEnd(ref ReadBuffer buffer)
    {
        switch (_kind)
        {
            case ReadKind.Partial:
                return true;
            case ReadKind.UntilClose:
                Bytes = buffer.Take(buffer.Length);
                return true;
            default:
                return false;
        }
    }

    internal readonly Span<byte> GetRoom(ref ReadBuffer buffer)
    {
        if (!IsDirect)
        {
            return buffer.GetRoom();
        }

        Span<byte> room = _target.Span[Count..];
        return room[..Math.Min(room.Length, ReadBuffer.LargestRoom)];
    }

    internal void Advance(int count, ref ReadBuffer buffer)
    {
        if (IsDirect)
        {
            Count += count;
        }
        else
        {
            buffer.Advance(count);
        }
    }

    /// <summary>
    /// The read ends without success: what it took already is there for the next one. The buffer is empty whenever there is such a thing.
    /// </summary>
    internal void PutBack(ref ReadBuffer buffer)
    {
        buffer.Append(_target.Span[..Count]);
        Count = 0;
    }

    internal readonly string DescribeLimit() => _kind == ReadKind.Until
        ? $"No delimiter within {_maxBytes} bytes."
        : $"No end of the stream within {_maxBytes} bytes.";

    private ReadProgress Use(ref ReadBuffer buffer)
    {
        switch (_kind)
        {
            case ReadKind.Until:
                return Search(ref buffer);
            case ReadKind.UntilClose:
                return buffer.Length > _maxBytes ? ReadProgress.LimitReached : ReadProgress.NeedsMore;
            default:
                Count += buffer.MoveTo(_target.Span[Count..]);
                bool done = Count == _target.Length || (_kind == ReadKind.Partial && Count > 0);
                return done ? ReadProgress.Done : ReadProgress.NeedsMore;
        }
    }

    // Goes on where the last search stopped, less what a delimiter that straddles two receives may have begun with.
    private ReadProgress Search(ref ReadBuffer buffer)
    {
        ReadOnlySpan<byte> bytes = buffer.Span;
        bytes = bytes[..Math.Min(bytes.Length, _maxBytes)];
        int from = Math.Max(0, _searched - (_delimiter.Length - 1));
        int index = bytes[from..].IndexOf(_delimiter.Span);
        if (index < 0)
        {
            _searched = bytes.Length;
            return bytes.Length == _maxBytes ? ReadProgress.LimitReached : ReadProgress.NeedsMore;
        }

        Bytes = buffer.Take(from + index + _delimiter.Length);
        return ReadProgress.Done;
    }
}
