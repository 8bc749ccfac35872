using Microsoft.Extensions.Logging;

namespace LoopBridge.Protocols;

/// <summary>Settings of the transports under protocols, for one listener or one connection.</summary>
public sealed class TransportOptions
{
    internal static readonly TransportOptions Default = new();

    private long? _maxUnsentBytes = 16 * 1024 * 1024;

    /// <summary>
    /// How many bytes may wait for a slow peer before one more write aborts the connection. It is meant for what others make a protocol
    /// write, as in a chat room: a single large write to a peer that keeps up passes whatever its size. Null means no limit, which lets a
    /// peer that never reads use up the memory. Defaults to 16 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public long? MaxUnsentBytes
    {
        get => _maxUnsentBytes;
        set
        {
            if (value is { } limit)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
            }

            _maxUnsentBytes = value;
        }
    }

    /// <summary>
    /// Where connections log, and with them the exceptions of their protocols. Defaults to none: then the loop reports these as it does its
    /// own.
    /// </summary>
    public ILogger? Logger { get; set; }
}
