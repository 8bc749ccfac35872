using System.Runtime.ExceptionServices;
using LoopBridge.Loops;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Protocols;

/// <summary>Where the exceptions of protocols and factories go: exactly one place, and never nowhere (R-INV-02).</summary>
internal static class Errors
{
    /// <summary>
    /// To <paramref name="logger"/>; without one to the loop, which reports whatever escapes its callbacks, so this is thrown in one of its
    /// own.
    /// </summary>
    internal static void Report(IEventLoop loop, ILogger? logger, Exception exception, Action<ILogger, Exception> log)
    {
        if (logger is not null)
        {
            log(logger, exception);
        }
        else
        {
            loop.AddCallback(static escaped => ((ExceptionDispatchInfo)escaped!).Throw(), ExceptionDispatchInfo.Capture(exception));
        }
    }
}
