namespace LoopBridge.Coordination;

/// <summary>
/// A <see cref="LoopQueue{T}"/> has no item, and the caller did not want to wait.
/// Descends from Tornado's <c>QueueEmpty</c>.
/// </summary>
public sealed class QueueEmptyException : InvalidOperationException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public QueueEmptyException()
        : base("The queue is empty. GetAsync waits for an item; TryGet tells without an exception.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public QueueEmptyException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What caused it.</param>
    public QueueEmptyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
