using LoopBridge.Resolvers;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Streams;

/// <summary>
/// Settings of <see cref="LoopStream"/>s. A stream looks at them when it is made; what is changed later holds for the streams made later.
/// One object may serve any number of streams.
/// </summary>
public sealed class LoopStreamOptions
{
    /// <summary>The default of both limits: 100 MiB, Tornado's <c>max_buffer_size</c>.</summary>
    public const int DefaultMaxBufferSize = 100 * 1024 * 1024;

    /// <summary>The default of <see cref="ReadChunkSize"/>: 64 KiB, Tornado's <c>read_chunk_size</c>.</summary>
    public const int DefaultReadChunkSize = 64 * 1024;

    internal static readonly LoopStreamOptions Default = new();

    private int _maxBufferSize = DefaultMaxBufferSize;
    private long? _maxWriteBufferSize = DefaultMaxBufferSize;
    private int _readChunkSize = DefaultReadChunkSize;

    /// <summary>
    /// How many bytes may stand in the stream's own buffer, received and not yet read. A read that would need more fails, and the stream is
    /// closed. Reads into the caller's memory need none of it, whatever their size. In bytes, at least 2. Defaults to 100 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 2.</exception>
    public int MaxBufferSize
    {
        get => _maxBufferSize;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 2); // a chunk is at most half of it
            _maxBufferSize = value;
        }
    }

    /// <summary>
    /// How many bytes may be written and wait for a slow peer; a write that would exceed it throws a
    /// <see cref="StreamBufferFullException"/> and writes nothing. Who awaits each write never comes near it: it is meant for what many
    /// write side by side. Null means no limit, which lets a peer that never reads use up the memory. In bytes. Defaults to 100 MiB
    /// (Tornado: to no limit).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public long? MaxWriteBufferSize
    {
        get => _maxWriteBufferSize;
        set
        {
            if (value is { } limit)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit, nameof(value));
            }

            _maxWriteBufferSize = value;
        }
    }

    /// <summary>
    /// How much is received at once, and so how far a read may run ahead of what it needs; half of <see cref="MaxBufferSize"/> at most,
    /// whatever stands here. In bytes. Defaults to 64 KiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int ReadChunkSize
    {
        get => _readChunkSize;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            _readChunkSize = value;
        }
    }

    /// <summary>
    /// Sends small segments at once (no Nagle) on TCP connections that the stream makes or is given as a socket. Defaults to true.
    /// </summary>
    public bool NoDelay { get; set; } = true;

    /// <summary>
    /// Turns names into addresses when the stream is to connect to a <see cref="System.Net.DnsEndPoint"/>. Null, the default: the operating
    /// system is asked, on threads.
    /// </summary>
    public INameResolver? Resolver { get; set; }

    /// <summary>Where the stream logs what it meets on its own: limits exceeded, errors between reads. Defaults to none.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>What is received at once, with the rule about the limit applied.</summary>
    internal int ChunkSize => Math.Min(_readChunkSize, _maxBufferSize / 2);
}
