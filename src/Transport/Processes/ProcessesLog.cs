using Microsoft.Extensions.Logging;

namespace LoopBridge.Processes;

/// <summary>Events of child processes and workers, ids 800 to 899. A number is never used for another event.</summary>
internal static partial class ProcessesLog
{
    [LoggerMessage(800, LogLevel.Debug, "Process {ProcessId} started: {FileName}.", EventName = "ProcessStarted")]
    internal static partial void ProcessStarted(this ILogger logger, int processId, string fileName);

    [LoggerMessage(801, LogLevel.Debug, "Process {ProcessId} ended with {ExitCode}.", EventName = "ProcessExited")]
    internal static partial void ProcessExited(this ILogger logger, int processId, int exitCode);

    [LoggerMessage(802, LogLevel.Warning,
        "Process {ProcessId} has ended, but its exit status was taken by somebody else. Does another library of this process wait for any child, or ignore SIGCHLD?",
        EventName = "ProcessStatusUnknown")]
    internal static partial void ProcessStatusUnknown(this ILogger logger, int processId);

    [LoggerMessage(810, LogLevel.Information, "{Count} workers are started with {Sockets} listening sockets.",
        EventName = "WorkersStarting")]
    internal static partial void WorkersStarting(this ILogger logger, int count, int sockets);

    [LoggerMessage(811, LogLevel.Debug, "Worker {TaskId} is process {ProcessId}.", EventName = "WorkerStarted")]
    internal static partial void WorkerStarted(this ILogger logger, int taskId, int processId);

    [LoggerMessage(812, LogLevel.Information, "Worker {TaskId} (process {ProcessId}) has ended and is not replaced.",
        EventName = "WorkerEnded")]
    internal static partial void WorkerEnded(this ILogger logger, int taskId, int processId);

    [LoggerMessage(813, LogLevel.Warning, "Worker {TaskId} (process {ProcessId}) ended with {ExitCode}; it is replaced after {Delay}.",
        EventName = "WorkerReplaced")]
    internal static partial void WorkerReplaced(this ILogger logger, int taskId, int processId, int? exitCode, TimeSpan delay);

    [LoggerMessage(814, LogLevel.Error, "Workers were replaced {Limit} times: giving up and stopping the others.", EventName = "WorkerRestartsExhausted")]
    internal static partial void WorkerRestartsExhausted(this ILogger logger, int limit);

    [LoggerMessage(815, LogLevel.Warning, "Worker {TaskId} (process {ProcessId}) did not end within {Timeout} of being asked: it is killed.",
        EventName = "WorkerKilled")]
    internal static partial void WorkerKilled(this ILogger logger, int taskId, int processId, TimeSpan timeout);

    [LoggerMessage(816, LogLevel.Error, "Worker {TaskId} cannot be started.", EventName = "WorkerStartFailed")]
    internal static partial void WorkerStartFailed(this ILogger logger, Exception exception, int taskId);
}
