namespace LoopBridge.Streams;

/// <summary>
/// A read met its limit before what it asked for: no delimiter, or no end of the stream, within <c>maxBytes</c>. The stream is closed
/// then, because nobody knows where the next message would begin. Found as the cause of a <see cref="StreamClosedException"/>. Tornado:
/// <c>UnsatisfiableReadError</c>.
/// </summary>
public sealed class UnsatisfiableReadException : IOException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public UnsatisfiableReadException()
        : base("The read met its limit before what it asked for.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public UnsatisfiableReadException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What caused it.</param>
    public UnsatisfiableReadException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
