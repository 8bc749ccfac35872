using Microsoft.Extensions.Logging;

namespace LoopBridge.Loops;

/// <summary>Where the exceptions of a loop's user code end: with the loop's handler, or else in its log. Never throws.</summary>
internal sealed class ExceptionReporter(ILogger logger, string loop)
{
    internal LoopExceptionHandler? Handler { get; set; }

    internal void Report(Exception exception, object? source)
    {
        if (Handler is not { } handler)
        {
            Log(exception, source);
            return;
        }

        try
        {
            handler(exception, source);
        }
        catch (Exception e)
        {
            // The handler is user code too: a bug in it must not end the loop, nor hide what it was told.
            Log(e, handler);
            Log(exception, source);
        }
    }

    private void Log(Exception exception, object? source)
    {
        try
        {
            if (source is LoopExceptionHandler)
            {
                logger.ExceptionHandlerFailed(exception, loop);
            }
            else
            {
                logger.CallbackFailed(exception, loop, SourceName.Of(source));
            }
        }
        catch (Exception)
        {
            // The log itself is broken: there is nowhere left to tell, and the loop's connections are worth more than the message.
        }
    }
}
