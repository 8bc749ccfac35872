using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using LoopBridge.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace LoopBridge.Middleware.Tests.Pipeline;

/// <summary>One measurement, with its tags.</summary>
internal sealed record Measured(string Instrument, double Value, IReadOnlyDictionary<string, object?> Tags)
{
    internal object? this[string tag] => Tags.GetValueOrDefault(tag);

    internal string AllTags
        => string.Join(' ', Tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"));
}

/// <summary>Records what one meter of one server says; those of other servers in the process have another factory.</summary>
internal sealed class MeterRecorder : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<Measured> _all = new();

    internal MeterRecorder(IServiceProvider services, string meter)
    {
        var factory = services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meter && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    internal IReadOnlyList<Measured> Of(string instrument) => [.. _all.Where(measured => measured.Instrument == instrument)];

    /// <summary>What an up-down counter stands at, for each set of tags that it was ever changed under.</summary>
    internal Dictionary<string, double> LevelsOf(string instrument)
        => Of(instrument).GroupBy(measured => measured.AllTags)
            .ToDictionary(group => group.Key, group => group.Sum(measured => measured.Value));

    /// <summary>The present values of instruments that are asked rather than told.</summary>
    internal IReadOnlyList<Measured> Observe(string instrument)
    {
        int before = _all.Count;
        _listener.RecordObservableInstruments();
        return [.. _all.Skip(before).Where(measured => measured.Instrument == instrument)];
    }

    /// <summary>Waits for so many measurements of it.</summary>
    internal IReadOnlyList<Measured> WaitFor(string instrument, int count)
    {
        Assert.True(
            SpinWait.SpinUntil(() => Of(instrument).Count >= count, Deadline.Default), $"{instrument}: {Of(instrument).Count} of {count}.");
        return Of(instrument);
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        => _all.Enqueue(new Measured(instrument.Name, value, tags.ToArray().ToDictionary()));
}
