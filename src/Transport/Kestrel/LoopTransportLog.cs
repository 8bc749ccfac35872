using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Kestrel;

/// <summary>
/// Events of connections. Numbers, names and levels are those of Kestrel's socket transport, so that people's filters keep working under
/// our category; 3, 11 and 12 stay reserved as they are there.
/// </summary>
internal static partial class LoopTransportLog
{
    [LoggerMessage(4, LogLevel.Debug, "Connection id \"{ConnectionId}\" paused.", EventName = "ConnectionPause", SkipEnabledCheck = true)]
    private static partial void ConnectionPauseCore(ILogger logger, string connectionId);

    [LoggerMessage(5, LogLevel.Debug, "Connection id \"{ConnectionId}\" resumed.", EventName = "ConnectionResume", SkipEnabledCheck = true)]
    private static partial void ConnectionResumeCore(ILogger logger, string connectionId);

    [LoggerMessage(6, LogLevel.Debug, "Connection id \"{ConnectionId}\" received FIN.", EventName = "ConnectionReadFin", SkipEnabledCheck = true)]
    private static partial void ConnectionReadFinCore(ILogger logger, string connectionId);

    [LoggerMessage(7, LogLevel.Debug, "Connection id \"{ConnectionId}\" sending FIN because: \"{Reason}\"", EventName = "ConnectionWriteFin", SkipEnabledCheck = true)]
    private static partial void ConnectionWriteFinCore(ILogger logger, string connectionId, string reason);

    [LoggerMessage(8, LogLevel.Debug, "Connection id \"{ConnectionId}\" sending RST because: \"{Reason}\"", EventName = "ConnectionWriteRst", SkipEnabledCheck = true)]
    private static partial void ConnectionWriteRstCore(ILogger logger, string connectionId, string reason);

    [LoggerMessage(14, LogLevel.Debug, "Connection id \"{ConnectionId}\" communication error.", EventName = "ConnectionError", SkipEnabledCheck = true)]
    private static partial void ConnectionErrorCore(ILogger logger, string connectionId, Exception ex);

    [LoggerMessage(19, LogLevel.Debug, "Connection id \"{ConnectionId}\" reset.", EventName = "ConnectionReset", SkipEnabledCheck = true)]
    private static partial void ConnectionResetCore(ILogger logger, string connectionId);

    [LoggerMessage(21, LogLevel.Debug, "Connection id \"{ConnectionId}\" held its loop for too long: another thread goes on with the loop.", EventName = "ConnectionOverstayed", SkipEnabledCheck = true)]
    private static partial void ConnectionOverstayedCore(ILogger logger, string connectionId);

    [LoggerMessage(20, LogLevel.Error, "A callback on the closing of connection id \"{ConnectionId}\" threw.", EventName = "ConnectionClosedCallbackFailed")]
    internal static partial void ConnectionClosedCallbackFailed(this ILogger logger, string connectionId, Exception ex);

    [LoggerMessage(21, LogLevel.Warning,
        "{EndPoint} has {Max} connections, as many as it may have (LoopBridge:MaxConnectionsPerEndpoint): new ones are {Fate}.",
        EventName = "ListenerFull")]
    internal static partial void ListenerFull(this ILogger logger, EndPoint endPoint, int max, string fate);

    [LoggerMessage(22, LogLevel.Warning,
        "A handler holds a loop that {EndPoint} needs in order to end, for more than {Patience}: what is left of it ends when the loop is free.",
        EventName = "ListenerHeld")]
    internal static partial void ListenerHeld(this ILogger logger, EndPoint endPoint, TimeSpan patience);

    /// <summary>A connection that its client reset before it was accepted: it has no id.</summary>
    internal static void ConnectionReset(this ILogger logger)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionResetCore(logger, "(null)");
        }
    }

    // The id is made when first read: none of these may ask for it unless somebody listens.
    internal static void ConnectionPause(this ILogger logger, LoopConnection connection)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionPauseCore(logger, connection.ConnectionId);
        }
    }

    internal static void ConnectionResume(this ILogger logger, LoopConnection connection)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionResumeCore(logger, connection.ConnectionId);
        }
    }

    internal static void ConnectionReadFin(this ILogger logger, LoopConnection connection)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionReadFinCore(logger, connection.ConnectionId);
        }
    }

    internal static void ConnectionWriteFin(this ILogger logger, LoopConnection connection, string reason)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionWriteFinCore(logger, connection.ConnectionId, reason);
        }
    }

    internal static void ConnectionWriteRst(this ILogger logger, LoopConnection connection, string reason)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionWriteRstCore(logger, connection.ConnectionId, reason);
        }
    }

    internal static void ConnectionOverstayed(this ILogger logger, LoopConnection connection)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionOverstayedCore(logger, connection.ConnectionId);
        }
    }

    internal static void ConnectionError(this ILogger logger, LoopConnection connection, Exception error)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            ConnectionErrorCore(logger, connection.ConnectionId, error);
        }
    }

    internal static void ConnectionBroken(this ILogger logger, LoopConnection connection, Exception reason)
    {
        if (!logger.IsEnabled(LogLevel.Debug))
        {
            return;
        }

        if (reason is SocketException)
        {
            ConnectionErrorCore(logger, connection.ConnectionId, reason);
        }
        else
        {
            ConnectionResetCore(logger, connection.ConnectionId);
        }
    }
}
