using Microsoft.Extensions.Logging;

namespace LoopBridge.Sockets;

/// <summary>Keeps what is logged, in order, until it may be written. One thread.</summary>
internal sealed class HeldBackLog(ILogger logger) : ILogger
{
    private readonly List<Action> _entries = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

    // The states of generated log methods are values: they stay as they are.
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _entries.Add(() => logger.Log(logLevel, eventId, state, exception, formatter));

    internal void Flush()
    {
        foreach (Action write in _entries)
        {
            write();
        }

        _entries.Clear();
    }
}
