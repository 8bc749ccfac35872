using System.Buffers;

namespace LoopBridge.Protocols;

/// <summary>
/// Received and not yet parsed bytes in one pooled array, which is given back when they are used up. What <see cref="Lend"/> gave out stays
/// untouched until <see cref="EndLoan"/>, whatever happens to the buffer meanwhile.
/// </summary>
internal sealed class LineBuffer
{
    // Below that it is not worth moving a rest to a smaller array.
    private const int SmallArray = 4096;

    private byte[]? _array;
    private byte[]? _lent;
    private int _start;
    private int _end;

    internal int Length => _end - _start;

    internal ReadOnlySpan<byte> Unparsed => _array.AsSpan(_start, Length);

    internal void Append(ReadOnlySpan<byte> data)
    {
        if (_array is null || _array.Length - _end < data.Length)
        {
            MakeRoom(before: 0, after: data.Length);
        }

        data.CopyTo(_array.AsSpan(_end));
        _end += data.Length;
    }

    /// <summary>Takes bytes from the front. One loan at a time.</summary>
    internal ReadOnlySpan<byte> Lend(int count)
    {
        ReadOnlySpan<byte> lent = Unparsed[..count];
        _lent = _array;
        _start += count;
        return lent;
    }

    /// <summary>The lent bytes are done with.</summary>
    internal void EndLoan()
    {
        if (_lent is not null && _lent != _array)
        {
            ArrayPool<byte>.Shared.Return(_lent);
        }

        _lent = null;
        if (Length == 0)
        {
            Clear();
        }
    }

    /// <summary>Puts bytes in front of the others: usually the last of the lent ones, which then only need to be uncovered.</summary>
    internal void Return(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty)
        {
            return;
        }

        if (_array.AsSpan(0, _start).Overlaps(rest, out int offset) && offset >= 0 && offset + rest.Length == _start)
        {
            _start = offset;
            return;
        }

        MakeRoom(before: rest.Length, after: 0);
        _start -= rest.Length;
        rest.CopyTo(_array.AsSpan(_start));
    }

    internal void Clear()
    {
        if (_array is not null && _array != _lent)
        {
            ArrayPool<byte>.Shared.Return(_array);
        }

        _array = null;
        _start = 0;
        _end = 0;
    }

    /// <summary>A few bytes do not keep a large array: a peer may leave them lying there for as long as it likes.</summary>
    internal void Trim()
    {
        if (_array is { Length: > SmallArray } && _array.Length / 4 > Length)
        {
            byte[] smaller = ArrayPool<byte>.Shared.Rent(Length);
            MoveTo(smaller, 0);
        }
    }

    private void MakeRoom(int before, int after)
    {
        int needed = before + Length + after;
        if (_array is not null && _array != _lent && needed <= _array.Length)
        {
            Unparsed.CopyTo(_array.AsSpan(before));
            _end = before + Length;
            _start = before;
            return;
        }

        // The pool's sizes are powers of two, so that growing byte by byte copies each byte a few times only.
        MoveTo(ArrayPool<byte>.Shared.Rent(needed), before);
    }

    private void MoveTo(byte[] array, int start)
    {
        int length = Length;
        Unparsed.CopyTo(array.AsSpan(start));
        Clear();
        _array = array;
        _start = start;
        _end = start + length;
    }
}
