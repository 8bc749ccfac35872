using System.Runtime.ExceptionServices;

namespace LoopBridge.Loops;

/// <summary>
/// An exception of user code that somebody else had to catch, on its way to <see cref="IEventLoop.ExceptionHandler"/> or the log. It goes
/// as work that throws, because that is the one way that every loop has.
/// </summary>
internal sealed class EscapedException : ILoopWork
{
    private readonly ExceptionDispatchInfo _exception;
    private readonly object? _source;

    private EscapedException(Exception exception, object? source)
    {
        _exception = ExceptionDispatchInfo.Capture(exception);
        _source = source;
    }

    /// <summary>Reported in the loop's next turn, with the source named; false, and dropped, if the loop is closed. Any thread.</summary>
    internal static bool Report(IEventLoop loop, Exception exception, object? source)
        => loop.Post(new EscapedException(exception, source));

    public void Run() => _exception.Throw();

    /// <summary>What the log names in place of this object.</summary>
    public override string? ToString() => SourceName.Of(_source)?.ToString();
}
