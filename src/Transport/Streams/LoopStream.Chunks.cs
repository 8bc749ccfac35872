using System.Buffers;
using System.Runtime.CompilerServices;

namespace LoopBridge.Streams;

public sealed partial class LoopStream
{
    /// <summary>
    /// Reads piece by piece, as the bytes come: for what is too large to be kept whole. Each piece is the stream's again when the next one
    /// is asked for.
    /// </summary>
    /// <param name="byteCount">
    /// How many bytes in all; what follows stays in the stream. Null, the default: all that comes until the peer finishes sending, after
    /// which the stream is closed.
    /// </param>
    /// <param name="cancellationToken">Gives up; what was received and not handed over stays in the stream for the next read.</param>
    /// <returns>
    /// Pieces of one byte at least, and of <see cref="LoopStreamOptions.ReadChunkSize"/> at most. To be enumerated on the loop's thread; one
    /// read of the stream at a time, as ever.
    /// </returns>
    /// <exception cref="StreamClosedException">
    /// While enumerating: the stream ended before <paramref name="byteCount"/>, or was closed otherwise than by the peer's orderly end.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// While enumerating: another read is pending, which goes on; or the caller is not on the loop's thread.
    /// </exception>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadChunksAsync(long? byteCount = null, CancellationToken cancellationToken = default)
    {
        if (byteCount is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(count, nameof(byteCount));
        }

        return ReadPiecesAsync(byteCount, cancellationToken);
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadPiecesAsync(
        long? byteCount, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] piece = ArrayPool<byte>.Shared.Rent(_chunkSize);
        try
        {
            for (long left = byteCount ?? long.MaxValue; left > 0;)
            {
                int count = await ReadAsync(piece.AsMemory(0, (int)Math.Min(left, _chunkSize)), cancellationToken);
                if (count == 0)
                {
                    if (byteCount is not null)
                    {
                        throw ClosedException();
                    }

                    yield break;
                }

                left -= count;
                yield return piece.AsMemory(0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }
}
