using Microsoft.Extensions.Logging;

namespace LoopBridge.Reactors;

/// <summary>Events of the reactors, ids 300 to 399. A number is never used for another event.</summary>
internal static partial class ReactorLog
{
    [LoggerMessage(300, LogLevel.Error, "{Source} on a reactor threw.", EventName = "ReactorCallbackFailed")]
    internal static partial void ReactorCallbackFailed(this ILogger logger, Exception exception, object? source);

    [LoggerMessage(301, LogLevel.Warning, "A trigger of '{Event}' was removed after it had run.", EventName = "TriggerRemovedTooLate")]
    internal static partial void TriggerRemovedTooLate(this ILogger logger, string @event);

    [LoggerMessage(303, LogLevel.Error, "{Work} on a thread pool threw.", EventName = "WorkFailed")]
    internal static partial void WorkFailed(this ILogger logger, Exception exception, object? work);

    [LoggerMessage(302, LogLevel.Error, "The exception handler of the loop threw.", EventName = "ReactorExceptionHandlerFailed")]
    internal static partial void ReactorExceptionHandlerFailed(this ILogger logger, Exception exception);

    [LoggerMessage(330, LogLevel.Error, "The main function failed.", EventName = "ReactorMainFailed")]
    internal static partial void ReactorMainFailed(this ILogger logger, Exception exception);
}
