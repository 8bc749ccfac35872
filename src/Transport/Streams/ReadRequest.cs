using System.Text.RegularExpressions;
using LoopBridge.Loops;

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

    private ReadRequest(ReadKind kind, int maxBytes = 0)
    {
        _kind = kind;
        _maxBytes = maxBytes;
    }

    private ReadRequest(ReadKind kind, Memory<byte> target)
    {
        _kind = kind;
        _target = target;
    }

    private ReadRequest(ReadOnlyMemory<byte> delimiter, int maxBytes)
        : this(ReadKind.Until, maxBytes) => _delimiter = delimiter;

    private ReadRequest(RegexSearch search, int maxBytes)
        : this(ReadKind.UntilMatch, maxBytes) => Search = search;

    private enum ReadKind
    {
        Until,
        UntilMatch,
        UntilClose,
        Exactly,
        Partial,
    }

    /// <summary>Bytes in the caller's memory.</summary>
    internal int Count { get; private set; }

    /// <summary>The result of the kinds that make an array.</summary>
    internal byte[]? Bytes { get; private set; }

    internal Exception? Failure { get; set; }

    /// <summary>Of a read until a regex matches.</summary>
    internal RegexSearch? Search { get; }

    /// <summary>Whether it was this read that met its limit.</summary>
    internal bool IsLimitReached { get; private set; }

    // A read of a few bytes goes through the buffer, so that a header and what follows it cost one system call and not two.
    private readonly bool IsDirect
        => _kind is ReadKind.Exactly or ReadKind.Partial && _target.Length - Count >= ReadBuffer.SmallestRoom;

    internal static ReadRequest Until(ReadOnlyMemory<byte> delimiter, int maxBytes) => new(delimiter, maxBytes);

    internal static ReadRequest Until(Regex regex, IEventLoop loop, int maxBytes) => new(new RegexSearch(regex, loop), maxBytes);

    internal static ReadRequest UntilClose(int maxBytes) => new(ReadKind.UntilClose, maxBytes);

    internal static ReadRequest Exactly(Memory<byte> target) => new(ReadKind.Exactly, target);

    internal static ReadRequest Partial(Memory<byte> target) => new(ReadKind.Partial, target);

    /// <summary>Goes on with what is buffered.</summary>
    /// <param name="buffer">Where what was received stands.</param>
    /// <param name="isQuiet">Nothing more is there for now.</param>
    /// <param name="mustDecide">Nothing more will come, or may: leave no byte unsearched.</param>
    internal ReadProgress Proceed(ref ReadBuffer buffer, bool isQuiet = false, bool mustDecide = false)
    {
        ReadProgress progress = Use(ref buffer, isQuiet, mustDecide);
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

    /// <summary>Where to receive to, no more than <paramref name="most"/> at once.</summary>
    internal readonly Span<byte> GetRoom(ref ReadBuffer buffer, int most)
    {
        if (!IsDirect)
        {
            return buffer.GetRoom(most);
        }

        Span<byte> room = _target.Span[Count..];
        return room[..Math.Min(room.Length, most)];
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

    internal readonly UnsatisfiableReadException LimitError() => _kind switch
    {
        ReadKind.Until => new UnsatisfiableReadException($"No delimiter within {_maxBytes} bytes."),
        ReadKind.UntilMatch when Search!.TimeOut is { } timeOut
            => new UnsatisfiableReadException($"The regex was stopped after its MatchTimeout, {timeOut.MatchTimeout}.", timeOut),
        ReadKind.UntilMatch => new UnsatisfiableReadException($"No match of the regex within {_maxBytes} bytes."),
        _ => new UnsatisfiableReadException($"No end of the stream within {_maxBytes} bytes."),
    };

    private ReadProgress Use(ref ReadBuffer buffer, bool isQuiet, bool mustDecide)
    {
        switch (_kind)
        {
            case ReadKind.Until:
                return SearchDelimiter(ref buffer);
            case ReadKind.UntilMatch:
                return SearchMatch(ref buffer, isQuiet, mustDecide);
            case ReadKind.UntilClose:
                return buffer.Length > _maxBytes ? ReadProgress.LimitReached : ReadProgress.NeedsMore;
            default:
                Count += buffer.MoveTo(_target.Span[Count..]);
                bool done = Count == _target.Length || (_kind == ReadKind.Partial && Count > 0);
                return done ? ReadProgress.Done : ReadProgress.NeedsMore;
        }
    }

    // Goes on where the last search stopped, less what a delimiter that straddles two receives may have begun with.
    private ReadProgress SearchDelimiter(ref ReadBuffer buffer)
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

    private ReadProgress SearchMatch(ref ReadBuffer buffer, bool isQuiet, bool mustDecide)
    {
        bool isAtLimit = buffer.Length >= _maxBytes;
        int end = Search!.FindEnd(buffer.Span, isQuiet, mustDecide || isAtLimit);
        if (end > _maxBytes || Search.TimeOut is not null)
        {
            return ReadProgress.LimitReached;
        }

        if (end < 0)
        {
            return isAtLimit ? ReadProgress.LimitReached : ReadProgress.NeedsMore;
        }

        Bytes = buffer.Take(end);
        return ReadProgress.Done;
    }
}
