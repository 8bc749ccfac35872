using System.Net.Sockets;

namespace LoopBridge.Sockets;

/// <summary>
/// How long a listener rests when the process has run out of descriptors or memory: the queue stays readable then, and trying at once again would burn the core that
/// should be closing connections. Doubles from 100 ms to 5 s, the figures Garnet uses.
/// </summary>
internal sealed class AcceptBackoff
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private TimeSpan _next = Shortest;

    internal static bool IsExhaustion(SocketError error)
        => error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable;

    internal TimeSpan Next()
    {
        TimeSpan delay = _next;
        _next = delay * 2 < Longest ? delay * 2 : Longest;
        return delay;
    }

    internal void Reset() => _next = Shortest;
}
