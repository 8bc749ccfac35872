namespace LoopBridge.Protocols;

/// <summary>
/// A protocol whose connection may go on in one direction when the other has ended. Without it, the peer's end of stream ends the
/// connection. Descends from Twisted's <c>IHalfCloseableProtocol</c>.
/// </summary>
/// <remarks>
/// Each is called once at most, on the loop's thread, before <see cref="Protocol.ConnectionLost"/>. When both directions have ended, so has
/// the connection. An exception is logged and aborts it.
/// </remarks>
public interface IHalfCloseProtocol
{
    /// <summary>The peer sends no more; what is written still reaches it.</summary>
    void ReadConnectionLost();

    /// <summary>
    /// After <see cref="ITransport.LoseWriteConnection"/>: all that was written has left, and the peer was told that no more comes.
    /// </summary>
    void WriteConnectionLost();
}
