using LoopBridge.Reactors;

namespace LoopBridge.Protocols;

/// <summary>
/// The connection was aborted on this side: by <see cref="ITransport.AbortConnection"/>, or by a limit that the message names.
/// </summary>
public sealed class ConnectionAbortedLocallyException : ConnectionClosedException
{
    /// <summary>The protocol aborted it.</summary>
    public ConnectionAbortedLocallyException() : base("The connection was aborted on this side.")
    {
    }

    /// <summary>It was aborted for this reason.</summary>
    public ConnectionAbortedLocallyException(string message, Exception? innerException = null) : base(message, innerException)
    {
    }
}
