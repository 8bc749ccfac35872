using Microsoft.Extensions.Logging;

namespace LoopBridge.Hosting;

/// <summary>Events of the host's side, ids 500 to 599. A number is never used for another event.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(500, LogLevel.Error, "A Deferred failed and nobody handled it.", EventName = "DeferredFailureUnhandled")]
    internal static partial void DeferredFailureUnhandled(this ILogger logger, Exception exception);
}
