using System.Net;

namespace LoopBridge.Manual;

/// <summary>How a <see cref="MemoryTransport"/> behaves.</summary>
public sealed class MemoryTransportOptions
{
    /// <summary>
    /// How many bytes the protocol may write that the peer has not taken; one more write aborts the connection, as
    /// <see cref="Protocols.TransportOptions.MaxUnsentBytes"/> does. At least 1; defaults to 16 MiB.
    /// </summary>
    public int MaxUntakenBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Above how many bytes that the peer has not taken a push producer is paused, and the transport delivers nothing. At least 1; defaults
    /// to 64 KiB, as on a socket.
    /// </summary>
    public int HighWater { get; set; } = 64 * 1024;

    /// <summary>
    /// How many bytes the peer may send while the protocol is paused; more fails the test that sends them. At least 1; defaults to 1 MiB.
    /// </summary>
    public int MaxHeldBytes { get; set; } = 1024 * 1024;

    /// <summary>What the transport tells as its own address. Defaults to 192.0.2.1:54321, which is nobody's (RFC 5737).</summary>
    public EndPoint? Host { get; set; } = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 54321);

    /// <summary>What the transport tells as its peer's address. Defaults to 192.0.2.2:12345, which is nobody's (RFC 5737).</summary>
    public EndPoint? Peer { get; set; } = new IPEndPoint(IPAddress.Parse("192.0.2.2"), 12345);

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxUntakenBytes, 1, nameof(MaxUntakenBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(HighWater, 1, nameof(HighWater));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxHeldBytes, 1, nameof(MaxHeldBytes));
    }
}
