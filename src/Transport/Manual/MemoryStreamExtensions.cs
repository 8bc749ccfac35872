using LoopBridge.Loops;
using LoopBridge.Sockets;
using LoopBridge.Streams;

namespace LoopBridge.Manual;

/// <summary>Connections that have no socket, for tests.</summary>
public static class MemoryStreamExtensions
{
    /// <summary>
    /// Two streams on this loop that are connected in memory: what one writes the other reads, in a later turn, with the backpressure, the
    /// orderly end and the reset of a socket.
    /// </summary>
    /// <remarks>
    /// Works on every loop; on a <see cref="ManualLoop"/> all of it is deterministic. Bytes arrive in the first poll after the turn's sends
    /// left; on other loops, in the next turn. Writing to a stream whose other end was closed fails as with a UNIX socket, at once.
    /// An <see cref="LoopStream.Abort"/> drops what has not arrived, and the other end's reads fail after what has.
    /// </remarks>
    /// <param name="loop">Where both live. The caller is on its thread.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <returns>The two ends, which are alike; whoever closes the loop closes them.</returns>
    /// <exception cref="InvalidOperationException">The caller is not on the loop's thread.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A capacity or piece of less than one byte.</exception>
    public static (LoopStream Client, LoopStream Server) CreateStreamPair(this IEventLoop loop, MemoryStreamOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        (MemoryChannel clientEnd, MemoryChannel serverEnd) = MemoryChannel.CreatePair(loop, options ?? new MemoryStreamOptions());
        LoopStream client = Open(loop, clientEnd);
        LoopStream server = Open(loop, serverEnd);
        return (client, server);
    }

    private static LoopStream Open(IEventLoop loop, MemoryChannel channel)
    {
        var socket = new StreamSocket(loop, channel);
        var stream = new LoopStream(socket);
        socket.Start(stream.SocketSink);
        return stream;
    }
}
