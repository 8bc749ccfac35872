namespace LoopBridge.Loops;

/// <summary>
/// An exception of user code that somebody caught where the loop's own code does not run, on its way to
/// <see cref="IEventLoop.ReportException"/>, which belongs to the loop's thread.
/// </summary>
internal sealed class EscapedException : ILoopWork
{
    private readonly IEventLoop _loop;
    private readonly Exception _exception;
    private readonly object? _source;

    private EscapedException(IEventLoop loop, Exception exception, object? source)
    {
        _loop = loop;
        _exception = exception;
        _source = source;
    }

    /// <summary>Reported in the loop's next turn; false, and dropped, if the loop is closed. Any thread.</summary>
    internal static bool Report(IEventLoop loop, Exception exception, object? source)
        => loop.Post(new EscapedException(loop, exception, source));

    public void Run() => _loop.ReportException(_exception, _source);
}
