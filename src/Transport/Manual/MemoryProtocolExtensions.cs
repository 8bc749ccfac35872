using System.Buffers;
using LoopBridge.Loops;
using LoopBridge.Protocols;
using LoopBridge.Sockets;

namespace LoopBridge.Manual;

/// <summary>Protocols that talk to each other without a socket, for tests. Descends from Twisted's <c>loopbackAsync</c>.</summary>
public static class MemoryProtocolExtensions
{
    /// <summary>
    /// Connects two protocols on this loop in memory: what one writes the other receives, in a later turn, with the backpressure, the half
    /// close, the orderly end and the abort of a socket. Both have their connection when this returns, the client first.
    /// </summary>
    /// <remarks>Works on every loop; on a <see cref="ManualLoop"/> all of it is deterministic.</remarks>
    /// <param name="loop">Where both live. The caller is on its thread.</param>
    /// <param name="client">A new one.</param>
    /// <param name="server">A new one.</param>
    /// <param name="options">Defaults to the options' defaults.</param>
    /// <param name="transportOptions">Settings of both transports. Defaults to the options' defaults.</param>
    /// <exception cref="InvalidOperationException">
    /// The caller is not on the loop's thread, or a protocol has had a connection before.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A capacity or piece of less than one byte.</exception>
    public static void ConnectProtocols(
        this IEventLoop loop,
        Protocol client,
        Protocol server,
        MemoryStreamOptions? options = null,
        TransportOptions? transportOptions = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(server);
        (MemoryChannel clientEnd, MemoryChannel serverEnd) = MemoryChannel.CreatePair(loop, options ?? new MemoryStreamOptions());
        using OutsideContext _ = OutsideContext.Enter();
        ReactorTransport first = Start(loop, clientEnd, client, transportOptions);
        ReactorTransport second = Start(loop, serverEnd, server, transportOptions);
        first.Begin(ReadOnlySequence<byte>.Empty);
        second.Begin(ReadOnlySequence<byte>.Empty);
    }

    private static ReactorTransport Start(IEventLoop loop, MemoryChannel channel, Protocol protocol, TransportOptions? options)
    {
        var socket = new StreamSocket(loop, channel);
        var transport = new ReactorTransport(socket, protocol, options);
        socket.Start(transport);
        return transport;
    }
}
