using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace LoopBridge.Handlers;

/// <summary>Keeps the first bytes of a character that is cut in two at the end of a piece, until the next piece brings the rest.</summary>
internal sealed class Utf8Boundary
{
    /// <summary>A character has at most four bytes, so at most three of them wait.</summary>
    internal const int MaxHeldBack = 3;

    private readonly byte[] _heldBack = new byte[MaxHeldBack];
    private int _count;

    /// <summary>Puts what was held back in front of the next piece, and tells how many bytes that were.</summary>
    internal int TakeHeldBack(Span<byte> destination)
    {
        int count = _count;
        _heldBack.AsSpan(0, count).CopyTo(destination);
        _count = 0;
        return count;
    }

    /// <summary>
    /// How many bytes of the piece are whole UTF-8; the rest, if it is the beginning of a character, is held back. Null: it is not UTF-8.
    /// </summary>
    internal int? HoldBack(ReadOnlySpan<byte> piece)
    {
        int whole = piece.Length;
        for (int tail = 1; tail <= Math.Min(MaxHeldBack, piece.Length); tail++)
        {
            ReadOnlySpan<byte> end = piece[^tail..];
            if (Rune.DecodeFromUtf8(end, out _, out _) == OperationStatus.NeedMoreData)
            {
                whole = piece.Length - tail;
                break;
            }
        }

        if (!Utf8.IsValid(piece[..whole]))
        {
            return null;
        }

        piece[whole..].CopyTo(_heldBack);
        _count = piece.Length - whole;
        return whole;
    }
}
