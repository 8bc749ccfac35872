using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace LoopBridge.Resolvers;

/// <summary>The numbers of one resolver (D-18). Names and addresses are no tags: they have no bound.</summary>
internal sealed class ResolverMetrics
{
    public const string MeterName = "LoopBridge.Resolver";

    // For resolvers made without dependency injection. Lives as long as the process, as a meter without a factory should.
    private static readonly Meter Shared = new(MeterName);

    private readonly Counter<long> _lookups;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _duration;
    private readonly KeyValuePair<string, object?> _kind;

    public ResolverMetrics(string kind, IMeterFactory? factory)
    {
        Meter meter = factory?.Create(MeterName) ?? Shared;
        _kind = new("resolver", kind);
        _lookups = meter.CreateCounter<long>("loopbridge.resolver.lookups", "{lookup}", "Calls answered, by where the answer came from.");
        _failures = meter.CreateCounter<long>("loopbridge.resolver.failures", "{lookup}", "Calls that failed, by reason.");
        _duration = meter.CreateHistogram<double>("loopbridge.resolver.duration", "s", "From call to answer, failure or cancellation.");
    }

    public void Succeeded(NameResolutionSource source, long startedAt)
    {
        _lookups.Add(1, _kind, new("source", Name(source)));
        Took(startedAt, "success");
    }

    public void Failed(NameResolutionFailure reason, long startedAt)
    {
        _failures.Add(1, _kind, new("reason", Name(reason)));
        Took(startedAt, "failure");
    }

    public void Cancelled(long startedAt) => Took(startedAt, "cancelled");

    private void Took(long startedAt, string outcome)
    {
        if (_duration.Enabled)
            _duration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds, _kind, new("outcome", outcome));
    }

    private static string Name(NameResolutionSource source) => source switch
    {
        NameResolutionSource.Literal => "literal",
        NameResolutionSource.Hosts => "hosts",
        NameResolutionSource.Cache => "cache",
        NameResolutionSource.Stale => "stale",
        NameResolutionSource.Dns => "dns",
        _ => "system",
    };

    private static string Name(NameResolutionFailure reason) => reason switch
    {
        NameResolutionFailure.InvalidName => "invalid_name",
        NameResolutionFailure.NotFound => "not_found",
        NameResolutionFailure.NoAddress => "no_address",
        NameResolutionFailure.ServerFailure => "server_failure",
        NameResolutionFailure.Refused => "refused",
        NameResolutionFailure.Timeout => "timeout",
        NameResolutionFailure.Malformed => "malformed",
        NameResolutionFailure.NoServers => "no_servers",
        _ => "busy",
    };
}
