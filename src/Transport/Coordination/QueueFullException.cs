namespace LoopBridge.Coordination;

/// <summary>
/// A <see cref="LoopQueue{T}"/> has no room, and the caller did not want to wait.
/// Descends from Tornado's <c>QueueFull</c>.
/// </summary>
public sealed class QueueFullException : InvalidOperationException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public QueueFullException()
        : base("The queue is full. PutAsync waits until there is room; TryPut tells without an exception.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public QueueFullException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What caused it.</param>
    public QueueFullException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
