namespace LoopBridge.Processes;

/// <summary>Workers ended abnormally too often, and the launcher gave up.</summary>
public sealed class WorkerRestartException : Exception
{
    /// <summary>Makes the exception of one launcher.</summary>
    /// <param name="fileName">The workers' program.</param>
    /// <param name="restarts">How often workers had been replaced.</param>
    public WorkerRestartException(string fileName, int restarts)
        : base($"Workers running '{fileName}' were replaced {restarts} times, and one more has ended abnormally. See what they log; "
            + "WorkerProcessesOptions.MaxRestarts is the limit.") => Restarts = restarts;

    /// <summary>How often workers had been replaced.</summary>
    public int Restarts { get; }
}
