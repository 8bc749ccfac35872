using Microsoft.Extensions.Logging;

namespace LoopBridge.Loops;

/// <summary>Events of the loops, ids 100 to 199. A number is never used for another event.</summary>
internal static partial class LoopLog
{
    [LoggerMessage(100, LogLevel.Error, "{Source} on {Loop} threw.", EventName = "CallbackFailed")]
    internal static partial void CallbackFailed(this ILogger logger, Exception exception, string loop, object? source);

    [LoggerMessage(101, LogLevel.Error, "The exception handler of {Loop} threw.", EventName = "ExceptionHandlerFailed")]
    internal static partial void ExceptionHandlerFailed(this ILogger logger, Exception exception, string loop);

    [LoggerMessage(102, LogLevel.Debug, "{Loop} started on the {Driver} driver.", EventName = "LoopStarted")]
    internal static partial void LoopStarted(this ILogger logger, string loop, string driver);

    [LoggerMessage(103, LogLevel.Debug, "{Loop} stopped.", EventName = "LoopStopped")]
    internal static partial void LoopStopped(this ILogger logger, string loop);

    [LoggerMessage(104, LogLevel.Critical, "{Loop} ended because its driver failed. Its connections are lost.", EventName = "LoopFailed")]
    internal static partial void LoopFailed(this ILogger logger, Exception exception, string loop);

    [LoggerMessage(105, LogLevel.Warning, "{Loop} did not stop within {Limit}: a handler blocks it. It is left behind.", EventName = "LoopStuck")]
    internal static partial void LoopStuck(this ILogger logger, string loop, TimeSpan limit);

    [LoggerMessage(106, LogLevel.Debug, "{Guest} overstays on {Loop}: another thread goes on with the loop.", EventName = "LoopHandedOver")]
    internal static partial void LoopHandedOver(this ILogger logger, string guest, string loop);

    [LoggerMessage(
        107,
        LogLevel.Warning,
        "{Source} held {Loop} for {Elapsed}. Everything else on that loop waited: let it await, or hand what takes long to an executor.",
        EventName = "LoopHeld")]
    internal static partial void LoopHeld(this ILogger logger, string source, string loop, TimeSpan elapsed);

    [LoggerMessage(
        108,
        LogLevel.Warning,
        "{Guest} holds {Loop} for more than {Limit}, and all {MaxWorkerThreads} worker threads are busy: nobody can go on with the loop. "
        + "Let the application block less, or raise LoopBridge:MaxWorkerThreads.",
        EventName = "NoSpareThread")]
    internal static partial void NoSpareThread(this ILogger logger, string guest, string loop, TimeSpan limit, int maxWorkerThreads);
}
