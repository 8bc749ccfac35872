namespace LoopBridge.Deferreds;

/// <summary>Tells <see cref="Deferred.UnhandledFailure"/> which failure nobody handled.</summary>
/// <param name="exception">The failure.</param>
public sealed class UnhandledFailureEventArgs(Exception exception) : EventArgs
{
    /// <summary>The failure that nobody handled, with its original stack.</summary>
    public Exception Exception { get; } = exception;
}
