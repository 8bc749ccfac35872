namespace LoopBridge.Streams;

/// <summary>
/// A buffer of a <see cref="LoopStream"/> is full. Thrown from a write, it means that nothing of it was written and the stream is open as
/// before. As the cause of a <see cref="StreamClosedException"/> it means that a read needed more than the stream may keep, and closed it.
/// Tornado: <c>StreamBufferFullError</c>.
/// </summary>
public sealed class StreamBufferFullException : IOException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public StreamBufferFullException()
        : base("A buffer of the stream is full.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public StreamBufferFullException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What caused it.</param>
    public StreamBufferFullException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
