namespace LoopBridge.Processes;

/// <summary>A program could not be started. Nothing of the attempt is left.</summary>
public sealed class ProcessStartException : IOException
{
    /// <summary>Makes the exception of one failed start.</summary>
    /// <param name="fileName">What was to be started.</param>
    /// <param name="reason">Why not, and what to do about it.</param>
    /// <param name="innerException">The system's own error, if there is one.</param>
    public ProcessStartException(string fileName, string reason, Exception? innerException = null)
        : base($"Cannot start '{fileName}': {reason}", innerException) => FileName = fileName;

    /// <summary>What was to be started.</summary>
    public string FileName { get; }
}
