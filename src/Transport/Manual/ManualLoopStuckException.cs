namespace LoopBridge.Manual;

/// <summary>
/// A <see cref="ManualLoop"/> cannot come to where the test wants it: nothing is left to do and the task is not done (a deadlock), or
/// after <see cref="ManualLoopOptions.MaxTurns"/> turns there is still something to do. The message says what is pending.
/// </summary>
public sealed class ManualLoopStuckException : InvalidOperationException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public ManualLoopStuckException()
        : base("The manual loop is stuck.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What is pending, and what to do.</param>
    public ManualLoopStuckException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What is pending, and what to do.</param>
    /// <param name="innerException">What caused it.</param>
    public ManualLoopStuckException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
