using System.Text;
using System.Text.RegularExpressions;

namespace LoopBridge.Transport.Tests.Streams.Fuzz;

internal enum ExpectedKind
{
    /// <summary>Exactly so many bytes.</summary>
    Bytes,

    /// <summary>At least one byte, at most so many.</summary>
    UpTo,

    /// <summary>The stream is closed, without an error or by the peer's.</summary>
    Closed,

    /// <summary>The limit is met, and the stream closed for it.</summary>
    Limit,

    /// <summary>Never done: what is asked for does not come.</summary>
    Waits,
}

internal readonly record struct Expected(ExpectedKind Kind, int Count = 0);

/// <summary>What a stream has to answer: plain functions of an array and a place in it, with no idea of time.</summary>
internal sealed class StreamModel(byte[] data, bool ends)
{
    private bool _isAbandoned;

    internal int Position { get; private set; }

    internal ReadOnlySpan<byte> Rest => data.AsSpan(Position);

    internal Expected Expect(ReadStep step)
    {
        if (_isAbandoned && !(step is { Kind: ReadKind.Chunks, Count: 0 }))
        {
            return new Expected(ExpectedKind.Closed);
        }

        return step.Kind switch
        {
            ReadKind.Until => ExpectUntil(Encoding.Latin1.GetBytes(step.Delimiter), step.Count),
            ReadKind.UntilRegex => ExpectUntilRegex(step.Delimiter, step.Count),
            ReadKind.UntilClose when Rest.Length > step.Count => new Expected(ExpectedKind.Limit),
            ReadKind.UntilClose when ends => new Expected(ExpectedKind.Bytes, Rest.Length),
            ReadKind.AllChunks when ends => new Expected(ExpectedKind.Bytes, Rest.Length),
            ReadKind.Exactly or ReadKind.Chunks when step.Count <= Rest.Length => new Expected(ExpectedKind.Bytes, step.Count),
            ReadKind.Partial when step.Count == 0 => new Expected(ExpectedKind.Bytes, 0),
            ReadKind.Partial when Rest.Length > 0 => new Expected(ExpectedKind.UpTo, Math.Min(step.Count, Rest.Length)),
            ReadKind.Partial when ends => new Expected(ExpectedKind.Bytes, 0),
            _ => AtEnd(),
        };
    }

    internal void Consume(int count) => Position += count;

    /// <summary>A limit was met: what is left is gone with the stream.</summary>
    internal void Abandon() => _isAbandoned = true;

    private Expected ExpectUntil(ReadOnlySpan<byte> delimiter, int maxBytes)
    {
        int index = Rest[..Math.Min(Rest.Length, maxBytes)].IndexOf(delimiter);
        return index >= 0 ? new Expected(ExpectedKind.Bytes, index + delimiter.Length)
            : Rest.Length >= maxBytes ? new Expected(ExpectedKind.Limit)
            : AtEnd();
    }

    // The patterns are such that what comes later cannot move the end of the first match.
    private Expected ExpectUntilRegex(string pattern, int maxBytes)
    {
        foreach (ValueMatch match in Regex.EnumerateMatches(Encoding.Latin1.GetString(Rest), pattern))
        {
            int end = match.Index + match.Length;
            return end <= maxBytes ? new Expected(ExpectedKind.Bytes, end) : new Expected(ExpectedKind.Limit);
        }

        return Rest.Length >= maxBytes ? new Expected(ExpectedKind.Limit) : AtEnd();
    }

    private Expected AtEnd() => new(ends ? ExpectedKind.Closed : ExpectedKind.Waits);
}
