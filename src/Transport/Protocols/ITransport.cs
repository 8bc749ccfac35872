using System.Buffers;
using System.Net;
using System.Net.Security;
using LoopBridge.Loops;
using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <summary>
/// One connection as its protocol sees it. Descends from Twisted's <c>ITransport</c>. Every member that does something belongs to the
/// loop's thread; others come by <c>Reactor.CallFromThread</c>. The properties may be read from any thread.
/// </summary>
/// <remarks>
/// <para>
/// While more bytes wait to be sent than the socket engine likes (64 KiB), the transport receives nothing, so that a peer that sends and
/// never reads is bounded. For what others make it write, there is <see cref="TransportOptions.MaxUnsentBytes"/>.
/// </para>
/// <para>
/// It is in the books of its reactor: among <see cref="IReactorDescriptors.GetReaders"/> while it receives, among
/// <see cref="IReactorDescriptors.GetWriters"/> while something waits to be sent, and lost when the reactor shuts down.
/// </para>
/// <para>
/// It is a producer itself, so that it can feed another transport, and a consumer, so that it can be fed. As a producer it maps
/// <see cref="IProducer.StopProducing"/> to <see cref="LoseConnection"/>.
/// </para>
/// </remarks>
public interface ITransport : IPushProducer, IConsumer, ILogPrefix
{
    /// <summary>Identifies the connection in logs.</summary>
    string ConnectionId { get; }

    /// <summary>The address on this side, as numbers; null where the stream has none.</summary>
    EndPoint? Host { get; }

    /// <summary>The address of the peer, as numbers; null where the stream has none.</summary>
    EndPoint? Peer { get; }

    /// <summary>The loop that the connection lives on.</summary>
    IEventLoop Loop { get; }

    /// <summary>The reactor that the connection was made on; that of the loop where it was no reactor.</summary>
    IReactor Reactor { get; }

    /// <summary>Whether the connection is ending or has ended: nothing is received any more.</summary>
    bool IsDisconnecting { get; }

    /// <summary>Whether nothing is delivered at present: after <see cref="PauseProducing"/>, or while too much waits to be sent.</summary>
    bool IsPaused { get; }

    /// <summary>
    /// Whether small segments leave at once instead of waiting for the acknowledgement of those before (<c>TCP_NODELAY</c>). Off at first
    /// for what <c>ListenTcp</c> and <c>ConnectTcp</c> connect, as the system has it; on for what Kestrel accepted, as Kestrel has it. The
    /// engine sends what one turn writes together, so it matters only to those who answer in small pieces over several turns. False, and
    /// deaf to a change, where the stream is no TCP socket or is gone. Loop thread.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    bool NoDelay { get; set; }

    /// <summary>
    /// Whether the system probes a silent peer (<c>SO_KEEPALIVE</c>). Off at first. False, and deaf to a change, where the stream is no TCP
    /// socket or is gone. Loop thread.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    bool KeepAlive { get; set; }

    /// <summary>
    /// What the connection is called in the log: what its protocol calls itself, by <see cref="ILogPrefix"/> or else its type's name, and
    /// the peer. The callbacks of a protocol that is an <see cref="ILogPrefix"/> run in a log scope of it, if
    /// <see cref="TransportOptions.Logger"/> is set; it is asked once, when the connection is made.
    /// </summary>
    new string LogPrefix { get; }

    /// <summary>Whether <c>StartTls</c> was called.</summary>
    bool IsTls { get; }

    /// <summary>
    /// Goes on in TLS, as the server. What was written before leaves in the clear; what is written from now on waits for the handshake and
    /// leaves encrypted, and what is delivered was. Does nothing on a connection that is lost. Descends from <c>startTLS</c>.
    /// </summary>
    /// <remarks>
    /// Call it when the peer waits for it and sends nothing else meanwhile: what came with its request was delivered in the clear. If the
    /// handshake fails, or the peer does not keep to TLS afterwards, the connection is lost for that reason. A peer that ends the
    /// connection without saying so within TLS (close_notify) may have been cut off: that is no orderly end.
    /// </remarks>
    /// <param name="options">
    /// At least a certificate. Leave it alone until the handshake is done. With <c>ServerCertificateContext</c> and without client
    /// certificates the handshake runs on the loop, otherwise on the thread pool; callbacks of the options run there, too.
    /// </param>
    /// <param name="handshakeTimeout">
    /// After which time the handshake has failed. Defaults to 10 s; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </param>
    /// <exception cref="ArgumentException">The options name no certificate, or one without its private key. Nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">
    /// The connection has TLS already, or ends in one direction or both, or bytes were received that a paused protocol has not got, or this
    /// is not the loop's thread. Nothing is changed.
    /// </exception>
    void StartTls(SslServerAuthenticationOptions options, TimeSpan? handshakeTimeout = null);

    /// <summary>Goes on in TLS, as the client; otherwise as <see cref="StartTls(SslServerAuthenticationOptions, TimeSpan?)"/>.</summary>
    /// <param name="options">
    /// At least the name of the server, which its certificate has to bear. The handshake runs on the thread pool, because it may have to
    /// fetch certificates from the network; callbacks of the options run there, too.
    /// </param>
    /// <param name="handshakeTimeout">
    /// After which time the handshake has failed. Defaults to 10 s; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </param>
    /// <exception cref="InvalidOperationException">
    /// The connection has TLS already, or ends in one direction or both, or bytes were received that a paused protocol has not got, or this
    /// is not the loop's thread. Nothing is changed.
    /// </exception>
    void StartTls(SslClientAuthenticationOptions options, TimeSpan? handshakeTimeout = null);

    /// <summary>Sends a copy of the bytes, after those written before. Does nothing once the connection is aborted or lost.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    new void Write(ReadOnlySpan<byte> data);

    /// <summary>As <see cref="Write"/> for several pieces, as one unit: if the enumeration throws, nothing of it is sent.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void WriteSequence(IEnumerable<ReadOnlyMemory<byte>> data);

    /// <inheritdoc cref="WriteSequence(IEnumerable{ReadOnlyMemory{byte}})"/>
    void WriteSequence(in ReadOnlySequence<byte> data);

    /// <summary>
    /// Ends the connection in order: nothing is received from now on, what was written is sent, also what is written until that is done,
    /// and then the connection is closed. Harmless when repeated. While a producer is registered, its end is waited for.
    /// </summary>
    /// <remarks>
    /// After <see cref="IHalfCloseProtocol.WriteConnectionLost"/> there is nothing to wait for: the protocol hears of the loss before this
    /// returns (R-CONN-19). Otherwise always in a later turn.
    /// </remarks>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void LoseConnection();

    /// <summary>
    /// Ends the sending direction alone, after what was written, also what is written until that is done. Receiving goes on. A protocol
    /// that is an <see cref="IHalfCloseProtocol"/> hears of it. Harmless when repeated.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void LoseWriteConnection();

    /// <summary>
    /// Ends the connection at once: unsent bytes are dropped and the peer sees a reset. The protocol hears of it in a later turn. Harmless
    /// when repeated.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void AbortConnection();

    /// <summary>Receives nothing until <see cref="ResumeProducing"/>; the peer feels it, and its close is not noticed before.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    new void PauseProducing();

    /// <summary>Receives again, from a later turn on. Does nothing if there was no pause, or after <see cref="LoseConnection"/>.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    new void ResumeProducing();

    /// <summary>The producer is not wanted any more: unregisters it and loses the connection. Descends from <c>stopConsuming</c>.</summary>
    /// <exception cref="InvalidOperationException">This is not the loop's thread.</exception>
    void StopConsuming();

    void IProducer.StopProducing() => LoseConnection();
}
