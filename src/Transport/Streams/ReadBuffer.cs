using System.Buffers;

namespace LoopBridge.Streams;

/// <summary>
/// Bytes that were received and not yet read, in one pooled array, because a delimiter is searched fastest where nothing straddles. Holds
/// no array while it is empty.
/// </summary>
/// <remarks>
/// It doubles when it is three quarters full and moves its bytes to the front when half of it is free again, so that each byte is copied
/// a bounded number of times.
/// </remarks>
internal struct ReadBuffer
{
    /// <summary>The least that a receive is offered: the size of the blocks of Kestrel's pool.</summary>
    internal const int SmallestRoom = 4096;

    // A message of a hundred megabytes must not pin its array for the small ones that follow.
    private const int LargestKept = 256 * 1024;
    private const int KeptForLittle = 64 * 1024;

    private byte[]? _array;
    private int _start;
    private int _end;

    internal readonly int Length => _end - _start;

    internal readonly int Capacity => _array?.Length ?? 0;

    internal readonly ReadOnlySpan<byte> Span => _array.AsSpan(_start, Length);

    /// <summary>Where to receive to: never empty, and no more than <paramref name="most"/>; <see cref="Advance"/> follows.</summary>
    internal Span<byte> GetRoom(int most)
    {
        if (_array is null)
        {
            _array = ArrayPool<byte>.Shared.Rent(SmallestRoom);
        }
        else if (_array.Length - _end < _array.Length / 4)
        {
            MakeRoom(_array);
        }

        return _array.AsSpan(_end, Math.Min(_array.Length - _end, most));
    }

    internal void Advance(int count) => _end += count;

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = GetRoom(bytes.Length);
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Moves as much as there is, or as fits, out into <paramref name="target"/>.</summary>
    internal int MoveTo(Span<byte> target)
    {
        int count = Math.Min(Length, target.Length);
        Span[..count].CopyTo(target);
        Consume(count);
        return count;
    }

    /// <summary>Moves so many bytes out into an array of their own.</summary>
    internal byte[] Take(int count)
    {
        byte[] taken = Span[..count].ToArray();
        Consume(count);
        return taken;
    }

    internal void Release()
    {
        if (_array is not null)
        {
            ArrayPool<byte>.Shared.Return(_array);
            _array = null;
        }

        _start = 0;
        _end = 0;
    }

    internal void ReleaseIfEmpty()
    {
        if (Length == 0)
        {
            Release();
        }
    }

    private void Consume(int count)
    {
        _start += count;
        if (Length == 0)
        {
            Release();
        }
        else if (_array!.Length > LargestKept && Length <= KeptForLittle)
        {
            MoveTo(KeptForLittle, _array);
        }
    }

    private void MakeRoom(byte[] array)
    {
        int length = Length;
        if (length > array.Length / 2)
        {
            MoveTo((int)Math.Min((long)array.Length * 2, Array.MaxLength), array);
            return;
        }

        Span.CopyTo(array);
        _start = 0;
        _end = length;
    }

    private void MoveTo(int capacity, byte[] array)
    {
        int length = Length;
        byte[] other = ArrayPool<byte>.Shared.Rent(capacity);
        Span.CopyTo(other);
        ArrayPool<byte>.Shared.Return(array);
        _array = other;
        _start = 0;
        _end = length;
    }
}
