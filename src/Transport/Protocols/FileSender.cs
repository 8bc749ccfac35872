namespace LoopBridge.Protocols;

/// <summary>
/// Sends a file, or whatever else can be read, to a consumer at the consumer's pace. Descends from Twisted's <c>FileSender</c>.
/// </summary>
public sealed class FileSender : IPullProducer
{
    /// <summary>Twisted's <c>CHUNK_SIZE</c>: how many bytes are read and written at a time.</summary>
    public const int ChunkSize = 16 * 1024;

    private readonly TaskCompletionSource<byte?> _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ChunkSize);
    private readonly Stream _file;
    private readonly IConsumer _consumer;
    private readonly Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? _transform;
    private byte? _last;
    private bool _reading;
    private bool _ended;

    private FileSender(Stream file, IConsumer consumer, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? transform)
    {
        _file = file;
        _consumer = consumer;
        _transform = transform;
    }

    /// <summary>
    /// Sends all that is left of <paramref name="file"/>, as the consumer's producer. On the consumer's loop, in one of its callbacks.
    /// </summary>
    /// <param name="file">
    /// It is read asynchronously, so that a slow disk does not hold the loop, and stays open. Open files with
    /// <see cref="FileOptions.Asynchronous"/>.
    /// </param>
    /// <param name="consumer">Such as a transport. It has no producer afterwards, and is not closed.</param>
    /// <param name="transform">
    /// What to send in the place of each chunk, perhaps nothing. The chunk is valid until it returns, its result until the next.
    /// </param>
    /// <returns>
    /// The last byte that was sent, null if there was none, once the file's end was read and all handed to the consumer. Fails with an
    /// <see cref="IOException"/> if the consumer is lost before, and with what reading or the transform throws.
    /// </returns>
    /// <exception cref="InvalidOperationException">The consumer has a producer.</exception>
    public static Task<byte?> SendAsync(
        Stream file, IConsumer consumer, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? transform = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(consumer);
        var sender = new FileSender(file, consumer, transform);
        consumer.RegisterProducer(sender);
        return sender._sent.Task;
    }

    /// <inheritdoc />
    public void ResumeProducing()
    {
        if (!_reading && !_ended)
        {
            _ = PumpAsync();
        }
    }

    /// <inheritdoc />
    public void StopProducing()
    {
        _ended = true;
        _sent.TrySetException(new IOException("The consumer asked to stop before the file was sent."));
    }

    // One chunk that is not empty: only what was written brings the next request.
    private async Task PumpAsync()
    {
        _reading = true;
        try
        {
            ReadOnlyMemory<byte> chunk;
            do
            {
                int count = await _file.ReadAsync(_buffer);
                if (_ended)
                {
                    return; // stopped meanwhile
                }

                if (count == 0)
                {
                    End();
                    _sent.TrySetResult(_last);
                    return;
                }

                chunk = _buffer.AsMemory(0, count);
                chunk = _transform is null ? chunk : _transform(chunk);
            }
            while (chunk.IsEmpty);

            _last = chunk.Span[^1];
            _reading = false; // a consumer may ask for more from inside the write
            _consumer.Write(chunk.Span);
        }
        catch (Exception e)
        {
            End();
            _sent.TrySetException(e); // the caller's file and transform
        }
        finally
        {
            _reading = false;
        }
    }

    private void End()
    {
        if (!_ended)
        {
            _ended = true;
            _consumer.UnregisterProducer();
        }
    }
}
