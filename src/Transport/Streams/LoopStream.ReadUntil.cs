using System.Text.RegularExpressions;

namespace LoopBridge.Streams;

public sealed partial class LoopStream
{
    /// <summary>
    /// Reads up to and including the first occurrence of <paramref name="delimiter"/>. What follows it stays in the stream.
    /// </summary>
    /// <param name="delimiter">At least one byte. Not copied: leave it alone until the read is done.</param>
    /// <param name="maxBytes">
    /// How many bytes the result may have at most, the delimiter included; a delimiter that ends beyond counts as none, and the stream is
    /// closed. Null, the default: as many as the stream may keep, <see cref="LoopStreamOptions.MaxBufferSize"/>.
    /// </param>
    /// <param name="cancellationToken">Gives up; what was received stays in the stream for the next read.</param>
    /// <returns>The bytes, the delimiter last.</returns>
    /// <exception cref="StreamClosedException">
    /// The stream is closed or ended first. When <paramref name="maxBytes"/> was met, the cause is an
    /// <see cref="UnsatisfiableReadException"/>; when the stream's own limit was, a <see cref="StreamBufferFullException"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// Another read is pending, which goes on; or the caller is not on the loop's thread.
    /// </exception>
    public ValueTask<byte[]> ReadUntilAsync(
        ReadOnlyMemory<byte> delimiter, int? maxBytes = null, CancellationToken cancellationToken = default)
    {
        if (delimiter.IsEmpty)
        {
            throw new ArgumentException("The delimiter needs at least one byte.", nameof(delimiter));
        }

        return ReadBytesAsync(ReadRequest.Until(delimiter, VerifyLimit(maxBytes)), cancellationToken);
    }

    /// <summary>
    /// Reads up to the end of the first match of <paramref name="regex"/>, whatever comes before it included. What follows stays in the
    /// stream.
    /// </summary>
    /// <remarks>
    /// <para>Bytes are matched as characters one to one (Latin-1): <c>\xE9</c> is the byte 0xE9, and a pattern for UTF-8 has to spell the
    /// bytes. The pattern sees what has arrived so far, so let it end with what ends the message: a greedy end takes what there is, and
    /// <c>$</c> matches wherever the last piece happened to end.</para>
    /// <para>Against hostile input give it <see cref="RegexOptions.NonBacktracking"/>, which is linear whatever the pattern; others can be
    /// made to take for ever, and are then stopped by their <see cref="Regex.MatchTimeout"/> alone. What is buffered is searched again when
    /// it has doubled and when nothing more comes for now, but long input that trickles in is kept from taking more than a fifth of the
    /// loop's time: the search then waits a little.</para>
    /// </remarks>
    /// <param name="regex">What ends the read. Not <see cref="RegexOptions.RightToLeft"/>.</param>
    /// <param name="maxBytes">
    /// How many bytes the result may have at most; a match that ends beyond counts as none, and the stream is closed. Null, the default: as
    /// many as the stream may keep, <see cref="LoopStreamOptions.MaxBufferSize"/>.
    /// </param>
    /// <param name="cancellationToken">Gives up; what was received stays in the stream for the next read.</param>
    /// <returns>The bytes, those of the match last.</returns>
    /// <exception cref="StreamClosedException">
    /// The stream is closed or ended first. When <paramref name="maxBytes"/> or the time for a match was over, the cause is an
    /// <see cref="UnsatisfiableReadException"/>; when the stream's own limit was met, a <see cref="StreamBufferFullException"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// Another read is pending, which goes on; or the caller is not on the loop's thread.
    /// </exception>
    public ValueTask<byte[]> ReadUntilRegexAsync(Regex regex, int? maxBytes = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(regex);
        if (regex.RightToLeft)
        {
            throw new ArgumentException("A stream is read from left to right: RegexOptions.RightToLeft cannot be used.", nameof(regex));
        }

        return ReadBytesAsync(ReadRequest.Until(regex, Loop, VerifyLimit(maxBytes)), cancellationToken);
    }

    /// <summary>Reads all that comes until the peer finishes sending, after which the stream is closed.</summary>
    /// <param name="maxBytes">
    /// How many bytes the result may have at most; with one more the read fails and the stream is closed. Null, the default: as many as the
    /// stream may keep, <see cref="LoopStreamOptions.MaxBufferSize"/>.
    /// </param>
    /// <param name="cancellationToken">Gives up; what was received stays in the stream for the next read.</param>
    /// <returns>The bytes; none if the end had been read before.</returns>
    /// <exception cref="StreamClosedException">
    /// The stream was closed otherwise than by the peer's orderly end: half a message does not pass for a whole one. When
    /// <paramref name="maxBytes"/> was met, the cause is an <see cref="UnsatisfiableReadException"/>; when the stream's own limit was, a
    /// <see cref="StreamBufferFullException"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// Another read is pending, which goes on; or the caller is not on the loop's thread.
    /// </exception>
    public ValueTask<byte[]> ReadUntilCloseAsync(int? maxBytes = null, CancellationToken cancellationToken = default)
        => ReadBytesAsync(ReadRequest.UntilClose(VerifyLimit(maxBytes)), cancellationToken);

    private ValueTask<byte[]> ReadBytesAsync(ReadRequest request, CancellationToken cancellationToken)
    {
        VerifyRead();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<byte[]>(cancellationToken);
        }

        if (StartRead(request, cancellationToken, out ReadRequest done) is { } operation)
        {
            return new ValueTask<byte[]>(operation, operation.Version);
        }

        // L-STR-08: a limit met within the call is never thrown from it.
        return done.Failure is null ? new ValueTask<byte[]>(done.Bytes!) : ValueTask.FromException<byte[]>(done.Failure);
    }

    private static int VerifyLimit(int? maxBytes)
    {
        if (maxBytes is { } limit)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit, nameof(maxBytes));
        }

        return maxBytes ?? int.MaxValue;
    }
}
