namespace LoopBridge.Protocols;

/// <summary>
/// The peer sent what the protocol does not allow. Thrown from a callback it closes the connection in order (what was written is still
/// sent), becomes the reason of the loss, and is logged at Information without a stack trace: the mistake is the peer's.
/// </summary>
public class MalformedInputException : IOException
{
    /// <summary>Says what was wrong; without bytes of the peer's, for it ends in logs.</summary>
    public MalformedInputException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}
