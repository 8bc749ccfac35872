namespace LoopBridge.Deferreds;

/// <summary>The failure of a <see cref="Deferred{T}"/> that was cancelled. Twisted: <c>CancelledError</c>.</summary>
/// <remarks>
/// It is an <see cref="OperationCanceledException"/>, so code that awaits a Deferred or its Task catches cancellation as it does anywhere
/// in .NET. When a cancelled Task was the cause, that Task's own exception is the <see cref="Exception.InnerException"/>.
/// </remarks>
public sealed class DeferredCancelledException : OperationCanceledException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public DeferredCancelledException()
        : base("The Deferred was cancelled.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public DeferredCancelledException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What caused it.</param>
    public DeferredCancelledException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
