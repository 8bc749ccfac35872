using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Resolvers;

/// <summary>
/// Everything the resolvers log. Ids are fixed and never reused; names and addresses appear at Debug only (D-18). Names logged are
/// normalized, or escaped by the exception whose message they are in: none can write a line of its own. Always called by the thread of a
/// caller: a logger is somebody else's code, and must neither hold up nor end a thread of ours.
/// </summary>
internal static partial class ResolverLog
{
    [LoggerMessage(1, LogLevel.Debug, "Resolved {Name} ({Family}) to {Count} endpoints in {Milliseconds:F1} ms")]
    public static partial void Resolved(ILogger logger, string name, AddressFamily family, int count, double milliseconds);

    [LoggerMessage(2, LogLevel.Debug, "{Failure} ({Family}) after {Milliseconds:F1} ms: {Message}")]
    public static partial void Failed(
        ILogger logger, NameResolutionFailure failure, AddressFamily family, double milliseconds, string message);

    [LoggerMessage(3, LogLevel.Debug, "Nobody waits for {Name} ({Family}) any more; its thread is taken until the system answers")]
    public static partial void Abandoned(ILogger logger, string name, AddressFamily family);

    [LoggerMessage(4, LogLevel.Warning, "Turning callers away: {Limit} wait for a name already. Said once until half of them are gone")]
    public static partial void Busy(ILogger logger, int limit);

    [LoggerMessage(5, LogLevel.Information, "Sharing the process's {Actual} lookup threads; the {Wanted} of these options come too late")]
    public static partial void ThreadsSharedWithOthers(ILogger logger, int actual, int wanted);
}
