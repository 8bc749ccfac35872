namespace LoopBridge.Processes;

/// <summary>
/// A child has ended, and how is not known: somebody else in this process took its exit status, or SIGCHLD is ignored and the kernel
/// dropped it.
/// </summary>
public sealed class UnknownExitStatusException : Exception
{
    /// <summary>Makes the exception of one ended child.</summary>
    /// <param name="fileName">The program.</param>
    /// <param name="processId">Its process id.</param>
    public UnknownExitStatusException(string fileName, int processId)
        : base($"'{fileName}' (process {processId}) has ended, but its exit status was taken by somebody else in this process, who waits "
            + "for any child, or SIGCHLD is ignored.")
    {
        FileName = fileName;
        ProcessId = processId;
    }

    /// <summary>The program.</summary>
    public string FileName { get; }

    /// <summary>The process id that it had.</summary>
    public int ProcessId { get; }
}
