namespace LoopBridge.Deferreds;

/// <summary>A <see cref="Deferred{T}"/> was fired a second time. Twisted: <c>AlreadyCalledError</c>.</summary>
/// <remarks>With <see cref="Deferred.Debugging"/> on, the message names where the Deferred was made and where it was fired
/// first.</remarks>
public sealed class AlreadyCalledException : InvalidOperationException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public AlreadyCalledException()
        : base("This Deferred has been fired already.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public AlreadyCalledException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What caused it.</param>
    public AlreadyCalledException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
