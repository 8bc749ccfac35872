namespace LoopBridge.Coordination;

/// <summary>
/// Something was to be awaited that is no Task, <see cref="ValueTask"/> or Deferred of the kind asked for. Descends from Tornado's
/// <c>BadYieldError</c>.
/// </summary>
public sealed class NotAwaitableException : InvalidOperationException
{
    /// <summary>Makes the exception with a message of its own.</summary>
    public NotAwaitableException()
        : base("Only a Task, a ValueTask or a Deferred can be awaited here.")
    {
    }

    /// <summary>Makes the exception with the given message.</summary>
    /// <param name="message">What happened.</param>
    public NotAwaitableException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with the given message and cause.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What caused it.</param>
    public NotAwaitableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal static NotAwaitableException For(object? what, Type? result = null) => new(
        $"{(what is null ? "null" : $"A {what.GetType()}")} cannot be awaited{(result is null ? "" : $" for a {result}")}: "
        + "it has to be a Task, a ValueTask or a Deferred of that result.");
}
