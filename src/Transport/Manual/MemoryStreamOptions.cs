using System.Net;

namespace LoopBridge.Manual;

/// <summary>How a pair of streams in memory behaves. Each direction has its own state, and the same options.</summary>
public sealed class MemoryStreamOptions
{
    /// <summary>
    /// How many bytes each direction holds between the one who sent them and the one who has not received them, like a socket's buffers:
    /// when it is full, the sender waits. At least 1; defaults to 64 KiB.
    /// </summary>
    public int Capacity { get; set; } = 64 * 1024;

    /// <summary>
    /// The sizes of the pieces in which bytes arrive, over and over from the first: <c>[1]</c> is one byte at a time. A piece is the most
    /// that one receive gets; the next arrives in a later turn, when the one before was received. Each at least 1. Empty, as at first:
    /// all that was sent arrives together.
    /// </summary>
    public IReadOnlyList<int> PieceSizes { get; set; } = [];

    /// <summary>What the client's stream tells as its own address, and the server's as its peer's. Defaults to none.</summary>
    public EndPoint? ClientEndPoint { get; set; }

    /// <summary>What the server's stream tells as its own address, and the client's as its peer's. Defaults to none.</summary>
    public EndPoint? ServerEndPoint { get; set; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Capacity, 1, nameof(Capacity));
        ArgumentNullException.ThrowIfNull(PieceSizes, nameof(PieceSizes));
        foreach (int size in PieceSizes)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1, nameof(PieceSizes));
        }
    }
}
