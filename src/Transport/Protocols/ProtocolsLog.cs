using System.Net;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Protocols;

/// <summary>Events of the protocols, ids 300 to 399. A number is never used for another event.</summary>
internal static partial class ProtocolsLog
{
    [LoggerMessage(300, LogLevel.Error,
        "Connection id \"{ConnectionId}\": {Protocol} threw in {Callback}. The connection is closed.",
        EventName = "ProtocolFailed")]
    internal static partial void ProtocolFailed(
        this ILogger logger, Exception exception, string connectionId, string protocol, string callback);

    [LoggerMessage(301, LogLevel.Information,
        "Connection id \"{ConnectionId}\": {Protocol} closes it for what the peer sent: {Reason}",
        EventName = "MalformedInput")]
    internal static partial void MalformedInput(this ILogger logger, string connectionId, string protocol, string reason);

    [LoggerMessage(302, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": {Protocol} connected, peer {Peer}.",
        EventName = "ProtocolConnected")]
    internal static partial void ProtocolConnected(this ILogger logger, string connectionId, string protocol, EndPoint? peer);

    [LoggerMessage(303, LogLevel.Debug,
        "Connection id \"{ConnectionId}\": {Protocol} lost its connection: {Reason}",
        EventName = "ProtocolDisconnected")]
    internal static partial void ProtocolDisconnected(this ILogger logger, string connectionId, string protocol, string reason);

    [LoggerMessage(304, LogLevel.Warning,
        "Connection id \"{ConnectionId}\" is aborted: {Unsent} bytes wait for a peer that does not keep up, "
            + "and the limit is {Limit} (TransportOptions.MaxUnsentBytes).",
        EventName = "UnsentLimitExceeded")]
    internal static partial void UnsentLimitExceeded(this ILogger logger, string connectionId, long unsent, long limit);

    [LoggerMessage(305, LogLevel.Error,
        "{Factory} threw while it built the protocol of a connection from {Peer}. The connection is closed.",
        EventName = "BuildFailed")]
    internal static partial void BuildFailed(this ILogger logger, Exception exception, string factory, EndPoint? peer);

    [LoggerMessage(306, LogLevel.Debug,
        "{Factory} built no protocol for a connection from {Peer}. The connection is closed.",
        EventName = "BuildRefused")]
    internal static partial void BuildRefused(this ILogger logger, string factory, EndPoint? peer);

    [LoggerMessage(307, LogLevel.Information,
        "{Factory} starting on {EndPoint}.",
        EventName = "ListeningStarted")]
    internal static partial void ListeningStarted(this ILogger logger, string factory, EndPoint? endPoint);

    [LoggerMessage(308, LogLevel.Information,
        "{Factory} stopped listening on {EndPoint}.",
        EventName = "ListeningStopped")]
    internal static partial void ListeningStopped(this ILogger logger, string factory, EndPoint? endPoint);

    [LoggerMessage(309, LogLevel.Error,
        "{Factory} threw in {Callback} for the connector to {Destination}.",
        EventName = "ClientFactoryFailed")]
    internal static partial void ClientFactoryFailed(
        this ILogger logger, Exception exception, string factory, string callback, EndPoint destination);
}
