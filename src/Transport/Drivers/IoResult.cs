using System.Net.Sockets;

namespace LoopBridge.Drivers;

/// <summary>What one socket operation came to: a count, "pending", or an error. A value, because all three happen all day.</summary>
internal readonly struct IoResult
{
    private readonly SocketError _error;

    private IoResult(int count, SocketError error)
    {
        Count = count;
        _error = error;
    }

    internal static IoResult Pending => new(0, SocketError.IOPending);

    internal static IoResult Of(int count) => new(count, SocketError.Success);

    internal static IoResult Failed(SocketError error) => new(0, error);

    internal int Count { get; }

    internal bool IsOk => _error == SocketError.Success;

    /// <summary>Not now, or under way: the channel's owner is told when it is worth going on.</summary>
    internal bool IsPending => _error == SocketError.IOPending;

    internal bool IsError => _error is not (SocketError.Success or SocketError.IOPending);

    internal SocketError Error => IsError ? _error : SocketError.Success;
}
