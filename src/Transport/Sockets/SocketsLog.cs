using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <summary>Events of the socket engine, ids 200 to 299. A number is never used for another event.</summary>
internal static partial class SocketsLog
{
    [LoggerMessage(200, LogLevel.Debug, "A connection waiting on {EndPoint} could not be accepted: {Error}.", EventName = "AcceptSkipped")]
    internal static partial void AcceptSkipped(this ILogger logger, EndPoint? endPoint, SocketError error);

    [LoggerMessage(
        EventId = 201,
        Message = "No connection can be accepted on {EndPoint} for lack of resources ({Error}); trying again in {Delay}. Raise the limit of open files (ulimit -n) or lower the number of connections.",
        EventName = "AcceptExhausted")]
    internal static partial void AcceptExhausted(this ILogger logger, LogLevel level, EndPoint? endPoint, SocketError error, TimeSpan delay);

    [LoggerMessage(
        EventId = 202,
        Message = "The listening socket on {EndPoint} is unusable ({Error}); trying again in {Delay}. Has somebody else shut down or closed its descriptor?",
        EventName = "AcceptFailed")]
    internal static partial void AcceptFailed(this ILogger logger, LogLevel level, EndPoint? endPoint, SocketError error, TimeSpan delay);

    [LoggerMessage(203, LogLevel.Error, "A connection accepted on {EndPoint} was dropped, because what takes connections failed.", EventName = "AcceptedFailed")]
    internal static partial void AcceptedFailed(this ILogger logger, Exception exception, EndPoint? endPoint);

    [LoggerMessage(204, LogLevel.Warning,
        "Connections to {EndPoint} are closed as they come, because the process has hardly any descriptors left. Raise the limit of open files (ulimit -n) or lower the number of connections.",
        EventName = "TurningAway")]
    internal static partial void TurningAway(this ILogger logger, EndPoint? endPoint);

    [LoggerMessage(205, LogLevel.Information, "Connections to {EndPoint} are served again, after {Count} were closed for lack of descriptors.",
        EventName = "ServingAgain")]
    internal static partial void ServingAgain(this ILogger logger, EndPoint? endPoint, int count);

    [LoggerMessage(206, LogLevel.Warning,
        "No descriptor could be reserved for turning connections away, because the process has none left: they will wait until it has.",
        EventName = "ReservationFailed")]
    internal static partial void ReservationFailed(this ILogger logger);

    [LoggerMessage(207, LogLevel.Error,
        "No descriptor could be reserved for turning connections away: if the process runs out of them, connections will wait.",
        EventName = "ReservationLost")]
    internal static partial void ReservationLost(this ILogger logger, Exception exception);
}
