using System.Net.Sockets;

namespace LoopBridge.Sockets;

/// <summary>
/// How long a listener rests when the process has run out of descriptors or memory, or the listening socket itself is broken: the
/// clients are still there then, and trying at once again would burn the core that should be closing connections. Doubles from 100 ms to
/// 5 s, the figures Garnet uses.
/// </summary>
internal sealed class AcceptBackoff
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private TimeSpan _next = Shortest;

    internal static bool IsExhaustion(SocketError error)
        => error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;

    /// <summary>
    /// accept(2), "Error handling": what the protocol has to say about the connection taken, a packet filter's refusal (EPERM) and a
    /// signal.
    /// </summary>
    internal static bool IsOfOneConnection(SocketError error) => error is SocketError.ConnectionAborted or SocketError.ConnectionReset
        or SocketError.NetworkDown or SocketError.NetworkUnreachable or SocketError.HostDown or SocketError.HostUnreachable
        or SocketError.ProtocolOption or SocketError.TimedOut or SocketError.AccessDenied or SocketError.Interrupted;

    internal TimeSpan Next()
    {
        TimeSpan delay = _next;
        _next = delay * 2 < Longest ? delay * 2 : Longest;
        return delay;
    }

    internal void Reset() => _next = Shortest;
}
