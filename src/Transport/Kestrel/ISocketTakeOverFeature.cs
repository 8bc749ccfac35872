using System.Buffers;
using System.IO.Pipelines;
using LoopBridge.Sockets;

namespace LoopBridge.Kestrel;

/// <summary>Lets a handler sit directly on the socket of a connection, without a pipe in between.</summary>
internal interface ISocketTakeOverFeature
{
    /// <summary>
    /// Whether <paramref name="transport"/> is the connection's own pipe: if a middleware has put another in its place (TLS, logging), the
    /// bytes on the socket are not the handler's.
    /// </summary>
    bool CanTakeOver(IDuplexPipe transport);

    /// <summary>
    /// Runs <paramref name="begin"/> on the loop, with the socket and the bytes that have been received already. The pipes are not usable
    /// any more.
    /// </summary>
    Task TakeOverAsync(SinkStarter begin);
}

/// <summary>Makes a sink, puts it on the socket, and lets it use the bytes received so far before it returns. Loop thread.</summary>
internal delegate void SinkStarter(StreamSocket socket, in ReadOnlySequence<byte> alreadyReceived);
