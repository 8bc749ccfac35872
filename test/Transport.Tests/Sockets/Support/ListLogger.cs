using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Sockets;

internal sealed class ListLogger : ILogger
{
    private readonly ConcurrentQueue<(EventId Id, LogLevel Level, string Text)> _entries = new();

    internal IReadOnlyCollection<(EventId Id, LogLevel Level, string Text)> Entries => _entries;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _entries.Enqueue((eventId, logLevel, formatter(state, exception)));
}
