using Microsoft.Extensions.Logging;
using Xunit;

namespace LoopBridge.Testing;

/// <summary>One line of a log.</summary>
public sealed record LogEntry(string Category, LogLevel Level, EventId Id, string Message, Exception? Exception)
{
    public override string ToString() => $"{Level} {Category}[{Id.Id} {Id.Name}] {Message}{(Exception is null ? "" : $" {Exception}")}";
}

/// <summary>Keeps everything that is logged, so that a test can assert what was, and that nothing else was.</summary>
public sealed class LogCollector : ILoggerProvider
{
    private readonly Lock _lock = new();
    private readonly List<LogEntry> _entries = [];
    private readonly LoggerExternalScopeProvider _scopes = new();

    /// <summary>What is there now and was not taken.</summary>
    public IReadOnlyCollection<LogEntry> Entries
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries];
            }
        }
    }

    /// <summary>The log scopes that the caller is in, the outermost first.</summary>
    public IReadOnlyList<string> Scopes
    {
        get
        {
            var scopes = new List<string>();
            _scopes.ForEachScope(static (scope, list) => list.Add($"{scope}"), scopes);
            return scopes;
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public IEnumerable<LogEntry> AtLeast(LogLevel level) => Entries.Where(entry => entry.Level >= level);

    /// <summary>The lines of a level so far, which count as expected from now on.</summary>
    public IReadOnlyList<LogEntry> Take(LogLevel level)
    {
        lock (_lock)
        {
            LogEntry[] taken = [.. _entries.Where(entry => entry.Level == level)];
            _entries.RemoveAll(entry => entry.Level == level);
            return taken;
        }
    }

    /// <summary>The one line of a level so far, which counts as expected from now on.</summary>
    public LogEntry TakeSingle(LogLevel level) => Assert.Single(Take(level));

    /// <summary>Waits for a line of a level and takes all that are there then: for what another thread logs.</summary>
    public IReadOnlyList<LogEntry> WaitAndTake(LogLevel level)
    {
        Assert.True(SpinWait.SpinUntil(() => Entries.Any(entry => entry.Level == level), Deadline.Default), $"Nothing was logged at {level}.");
        return Take(level);
    }

    public void Dispose()
    {
    }

    private sealed class Logger(LogCollector collector, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => collector._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var entry = new LogEntry(category, logLevel, eventId, formatter(state, exception), exception);
            lock (collector._lock)
            {
                collector._entries.Add(entry);
            }
        }
    }
}
