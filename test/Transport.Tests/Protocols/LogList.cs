using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Transport.Tests.Protocols;

/// <summary>Keeps what is logged.</summary>
internal sealed class LogList : ILogger
{
    private readonly ConcurrentQueue<Entry> _entries = new();

    internal IReadOnlyList<Entry> Entries => [.. _entries];

    internal IReadOnlyList<Entry> Named(string eventName) => [.. _entries.Where(entry => entry.Event == eventName)];

    internal IReadOnlyList<Entry> Errors => [.. _entries.Where(entry => entry.Level >= LogLevel.Error)];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        => _entries.Enqueue(new Entry(logLevel, eventId.Name, formatter(state, exception), exception));

    internal sealed record Entry(LogLevel Level, string? Event, string Message, Exception? Exception);
}
