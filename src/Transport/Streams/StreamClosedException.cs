namespace LoopBridge.Streams;

/// <summary>
/// A <see cref="LoopStream"/> is closed, and the operation cannot be done any more: the peer finished sending or reset the connection, a
/// limit was exceeded, or this side closed it. Tornado: <c>StreamClosedError</c>.
/// </summary>
/// <remarks><see cref="Exception.InnerException"/> is what closed the stream; null after an orderly end, whichever side began it.</remarks>
public sealed class StreamClosedException : IOException
{
    private const string DefaultMessage = "The stream is closed.";

    /// <summary>Makes the exception of an orderly end.</summary>
    public StreamClosedException()
        : base(DefaultMessage)
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public StreamClosedException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What closed the stream, or null after an orderly end.</param>
    public StreamClosedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
