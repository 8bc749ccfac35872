using Microsoft.Extensions.Logging;

namespace LoopBridge.Handlers;

/// <summary>Events of the handlers' connections, ids 400 to 499. A number is never used for another event.</summary>
internal static partial class HandlerLog
{
    [LoggerMessage(400, LogLevel.Error, "{Handler} failed on connection id \"{ConnectionId}\"; the connection is closed.", EventName = "HandlerFailed")]
    internal static partial void HandlerFailed(this ILogger logger, string handler, string connectionId, Exception exception);

    [LoggerMessage(401, LogLevel.Debug, "{Handler} on connection id \"{ConnectionId}\" ended because the connection did: {Reason}", EventName = "HandlerEnded")]
    internal static partial void HandlerEnded(this ILogger logger, string handler, string connectionId, string reason);
}
