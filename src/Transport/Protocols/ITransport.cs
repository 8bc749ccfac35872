using System.Buffers;
using System.Net;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <summary>
/// One connection as its protocol sees it. Descends from Twisted's <c>ITransport</c>. Every member that does something belongs to the
/// loop's thread; others come by <c>Reactor.CallFromThread</c>. The properties may be read from any thread.
/// </summary>
/// <remarks>
/// While more bytes wait to be sent than the socket engine likes (64 KiB), the transport receives nothing, so that a peer that sends and
/// never reads is bounded. For what others make it write, there is <see cref="TransportOptions.MaxUnsentBytes"/>.
/// </remarks>
public interface ITransport
{
    /// <summary>Identifies the connection in logs.</summary>
    string ConnectionId { get; }

    /// <summary>The address on this side, as numbers; null where the stream has none.</summary>
    EndPoint? Host { get; }

    /// <summary>The address of the peer, as numbers; null where the stream has none.</summary>
    EndPoint? Peer { get; }

    /// <summary>The loop that the connection lives on.</summary>
    IEventLoop Loop { get; }

    /// <summary>The reactor of that loop.</summary>
    IReactor Reactor { get; }

    /// <summary>Whether the connection is ending or has ended: nothing is received any more.</summary>
    bool IsDisconnecting { get; }

    /// <summary>Whether nothing is delivered at present: after <see cref="PauseProducing"/>, or while too much waits to be sent.</summary>
    bool IsPaused { get; }

    /// <summary>Sends a copy of the bytes, after those written before. Does nothing once the connection is aborted or lost.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void Write(ReadOnlySpan<byte> data);

    /// <summary>As <see cref="Write"/> for several pieces, as one unit: if the enumeration throws, nothing of it is sent.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void WriteSequence(IEnumerable<ReadOnlyMemory<byte>> data);

    /// <inheritdoc cref="WriteSequence(IEnumerable{ReadOnlyMemory{byte}})"/>
    void WriteSequence(in ReadOnlySequence<byte> data);

    /// <summary>
    /// Ends the connection in order: nothing is received from now on, what was written is sent, also what is written until that is done,
    /// and then the connection is closed. Harmless when repeated.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void LoseConnection();

    /// <summary>
    /// Ends the connection at once: unsent bytes are dropped and the peer sees a reset. The protocol hears of it in a later turn. Harmless
    /// when repeated.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void AbortConnection();

    /// <summary>Receives nothing until <see cref="ResumeProducing"/>; the peer feels it, and its close is not noticed before.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void PauseProducing();

    /// <summary>Receives again, from a later turn on. Does nothing if there was no pause, or after <see cref="LoseConnection"/>.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void ResumeProducing();
}
