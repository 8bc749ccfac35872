using System.Buffers;

namespace LoopBridge.Sockets;

/// <summary>
/// One block of a <see cref="SegmentQueue"/>. Pooled for each thread: in steady traffic a loop takes and gives back its own.
/// </summary>
internal sealed class BufferSegment : ReadOnlySequenceSegment<byte>
{
    // Enough for a response of a megabyte in blocks of 4 KiB; beyond that the collector may have them.
    private const int MaxPooled = 256;

    [ThreadStatic]
    private static Stack<BufferSegment>? _pooled;

    private IMemoryOwner<byte>? _owner;
    private byte[]? _array;
    private Memory<byte> _block;

    private BufferSegment()
    {
    }

    /// <summary>Bytes written, counted from the start of the block. Only the producer moves it.</summary>
    internal int End { get; set; }

    internal int Free => _block.Length - End;

    internal BufferSegment? NextSegment => (BufferSegment?)Next;

    /// <summary>
    /// Takes a block: from <paramref name="pool"/> if it has blocks of that size, else from the shared array pool. The object around it
    /// comes from this thread, or else is the one that a consumer on another thread left in <paramref name="spare"/>.
    /// </summary>
    internal static BufferSegment Rent(MemoryPool<byte>? pool, int size, long offset, ref BufferSegment? spare)
    {
        BufferSegment segment = _pooled is { Count: > 0 } stack
            ? stack.Pop()
            : Interlocked.Exchange(ref spare, null) ?? new BufferSegment();
        if (pool is not null && size <= pool.MaxBufferSize)
        {
            segment._owner = pool.Rent(size);
            segment._block = segment._owner.Memory;
        }
        else
        {
            segment._array = ArrayPool<byte>.Shared.Rent(size);
            segment._block = segment._array;
        }

        segment.Memory = segment._block;
        segment.RunningIndex = offset;
        return segment;
    }

    internal Memory<byte> FreeMemory() => _block[End..];

    /// <summary>Nothing more will be written here: what follows stands in <paramref name="next"/>.</summary>
    internal void LinkTo(BufferSegment next)
    {
        Memory = _block[..End];
        Next = next;
    }

    /// <summary>
    /// Gives the block back. The object stays with this thread; when that has enough of them, it goes to <paramref name="spare"/>, because
    /// a producer on another thread would never see what this one keeps. In this order an idle connection keeps none for itself.
    /// </summary>
    internal void Return(ref BufferSegment? spare)
    {
        if (_array is not null)
        {
            ArrayPool<byte>.Shared.Return(_array);
        }

        _owner?.Dispose();
        _array = null;
        _owner = null;
        _block = default;
        Memory = default;
        Next = null;
        End = 0;
        Stack<BufferSegment> stack = _pooled ??= new Stack<BufferSegment>();
        if (stack.Count < MaxPooled)
        {
            stack.Push(this);
        }
        else if (Volatile.Read(ref spare) is null)
        {
            Interlocked.CompareExchange(ref spare, this, null);
        }
    }
}
