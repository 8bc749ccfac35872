using System.Buffers;

namespace LoopBridge.Sockets;

/// <summary>What one stream is made with; shared by all streams of an endpoint.</summary>
internal sealed class StreamSocketOptions
{
    internal static readonly StreamSocketOptions Default = new();

    /// <summary>Where blocks to send from are taken. Null: the shared array pool.</summary>
    internal MemoryPool<byte>? Pool { get; init; }

    /// <summary>Unsent bytes above which a writer has to wait; it goes on at half of it. Kestrel's default.</summary>
    internal long SendHighWater { get; init; } = 64 * 1024;
}
