using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LoopBridge.Resolvers;
using LoopBridge.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoopBridge.Resolver.Tests.Threaded;

public class ObservationTests : ThreadedResolverTest
{
    private const string Secret = "customer-4711.example";

    [Fact]
    [Contract("D-18")]
    public async Task Meter_OfCallsOfAllOutcomes_CountsThemWithoutNames()
    {
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        IMeterFactory meters = services.GetRequiredService<IMeterFactory>();
        ConcurrentQueue<string> seen = [];
        using MeterListener listener = new();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "LoopBridge.Resolver" && ReferenceEquals(instrument.Meter.Scope, meters))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => seen.Enqueue($"{i.Name} {value} {Text(tags)}"));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) =>
        {
            Assert.InRange(value, 0, Deadline.Default.TotalSeconds);
            seen.Enqueue($"{i.Name} {Text(tags)}");
        });
        listener.Start();

        using ThreadedResolver resolver = new(Options(), Lookup.LookUp, new LookupThreads(1, TimeSpan.Zero), null, meters);
        await resolver.ResolveAsync("192.0.2.1", 80, cancellationToken: TestToken).WithDeadline();
        Lookup.Release();
        await resolver.ResolveAsync(Secret, 80, cancellationToken: TestToken).WithDeadline();
        await Assert.ThrowsAsync<NameResolutionException>(
            () => resolver.ResolveAsync("a..b", 80, cancellationToken: TestToken).WithDeadline());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => resolver.ResolveAsync(Secret, 80, cancellationToken: new CancellationToken(true)).WithDeadline());

        Assert.Equal(
            [
                "loopbridge.resolver.lookups 1 resolver=threaded source=literal",
                "loopbridge.resolver.duration resolver=threaded outcome=success",
                "loopbridge.resolver.lookups 1 resolver=threaded source=system",
                "loopbridge.resolver.duration resolver=threaded outcome=success",
                "loopbridge.resolver.failures 1 resolver=threaded reason=invalid_name",
                "loopbridge.resolver.duration resolver=threaded outcome=failure",
                "loopbridge.resolver.duration resolver=threaded outcome=cancelled",
            ],
            seen);
    }

    [Fact]
    [Contract("D-18")]
    public async Task Log_OfAllThatHappens_IsNumberedAndNamesNobodyAboveDebug()
    {
        EventLog log = new();
        ResolverOptions options = new() { MaxThreads = 1, MaxWaitingCallers = 1, Timeout = Deadline.Default };
        using ThreadedResolver resolver = new(options, Lookup.LookUp, new LookupThreads(1, TimeSpan.Zero), log);
        using CancellationTokenSource cts = new();
        Task<NameResolution> call = resolver.ResolveAsync(Secret, 80, cancellationToken: cts.Token).AsTask();
        await Lookup.StartedAsync();
        for (int i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<NameResolutionException>(
                () => resolver.ResolveAsync(Secret, 80, cancellationToken: TestToken).WithDeadline());
        }

        await cts.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WithDeadline());
        Lookup.Release(2);
        await resolver.ResolveAsync(Secret, 80, cancellationToken: TestToken).WithDeadline();

        Assert.Equal([4, 2, 2, 2, 3, 1], log.Events.Select(e => e.Id));
        Assert.All(log.Events, e => Assert.Equal(e.Level == LogLevel.Debug, e.Message.Contains(Secret, StringComparison.Ordinal)));
    }

    private static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        => string.Join(' ', tags.ToArray().Select(t => $"{t.Key}={t.Value}"));

    private sealed class EventLog : ILogger
    {
        public ConcurrentQueue<(int Id, LogLevel Level, string Message)> Events { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Events.Enqueue((eventId.Id, logLevel, formatter(state, exception)));
    }
}
