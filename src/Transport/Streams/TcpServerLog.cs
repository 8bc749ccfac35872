using System.Net;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Streams;

/// <summary>Events of servers of streams, ids 650 to 699. A number is never used for another event.</summary>
internal static partial class TcpServerLog
{
    [LoggerMessage(650, LogLevel.Debug, "Listening on {EndPoint}.", EventName = "ServerListening")]
    internal static partial void ServerListening(this ILogger logger, EndPoint? endPoint);

    [LoggerMessage(651, LogLevel.Debug, "No longer listening on {EndPoint}.", EventName = "ServerStopped")]
    internal static partial void ServerStopped(this ILogger logger, EndPoint? endPoint);

    [LoggerMessage(652, LogLevel.Error,
        "The handler of the connection from {Peer} to {EndPoint} failed; the connection is closed.",
        EventName = "StreamHandlerFailed")]
    internal static partial void StreamHandlerFailed(this ILogger logger, Exception exception, EndPoint? peer, EndPoint? endPoint);

    [LoggerMessage(653, LogLevel.Debug,
        "The handler of the connection from {Peer} to {EndPoint} ended because the connection did: {Reason}",
        EventName = "StreamHandlerEnded")]
    internal static partial void StreamHandlerEnded(this ILogger logger, EndPoint? peer, EndPoint? endPoint, string reason);

    [LoggerMessage(654, LogLevel.Warning,
        "{Count} connections are live, as many as MaxConnections allows: further ones wait in the system. Raise it if they should not.",
        EventName = "ServerFull")]
    internal static partial void ServerFull(this ILogger logger, int count);
}
