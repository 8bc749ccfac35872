using System.Net;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Streams;

/// <summary>Events of the streams, ids 600 to 699. A number is never used for another event.</summary>
internal static partial class StreamsLog
{
    [LoggerMessage(600, LogLevel.Information,
        "The stream with {Peer} is closed for what the peer sent: {Reason}",
        EventName = "UnsatisfiableRead")]
    internal static partial void UnsatisfiableRead(this ILogger logger, EndPoint? peer, string reason);

    [LoggerMessage(601, LogLevel.Error,
        "The stream with {Peer} is closed: its buffer holds {Limit} bytes and a read needs more (LoopStreamOptions.MaxBufferSize).",
        EventName = "ReadBufferFull")]
    internal static partial void ReadBufferFull(this ILogger logger, EndPoint? peer, int limit);

    [LoggerMessage(602, LogLevel.Warning, "The stream with {Peer} broke: {Reason}", EventName = "StreamBroken")]
    internal static partial void StreamBroken(this ILogger logger, EndPoint? peer, string reason);

    [LoggerMessage(603, LogLevel.Debug, "The stream with {Peer} was closed by the peer: {Reason}", EventName = "PeerReset")]
    internal static partial void PeerReset(this ILogger logger, EndPoint? peer, string reason);

    [LoggerMessage(604, LogLevel.Debug, "Could not connect to {EndPoint}: {Reason}", EventName = "ConnectFailed")]
    internal static partial void ConnectFailed(this ILogger logger, EndPoint? endPoint, string reason);
}
